/** What commands that talk to a cluster can be told. */
import { checkAddress } from "./addresses.ts";
import { choice, duration, list, type Values } from "./declare.ts";

const group = "The cluster";

/** How the cluster is reached. */
export const connectionOptions = {
  masters: list({
    doc: "Masters as host:port; one that answers is enough to find the leader",
    default: ["127.0.0.1:6050"],
    check: checkAddress,
    placeholder: "addresses",
    group,
  }),
  timeout: duration({ doc: "Longest wait for the cluster, failovers included", default: "10s", min: 1, group }),
};

/** And in which form it answers. */
export const answerOptions = {
  ...connectionOptions,
  output: choice(["table", "wide", "json", "yaml"], { doc: "Form of the output", default: "table", group }),
};

/** All there are. */
export const clientOptions = {
  ...answerOptions,
  color: choice(["auto", "always", "never"], { doc: "Colours; auto: on a terminal, unless NO_COLOR is set", default: "auto", group }),
};

export type ClientConfig = Values<typeof clientOptions>;

/** What contradicts in a client's configuration. */
export function checkClient(config: Pick<ClientConfig, "masters">): string[] {
  return config.masters.length === 0 ? ["masters: at least one is needed"] : [];
}
