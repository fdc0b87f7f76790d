/** A command line or a configuration that cannot be meant; the cluster was not asked. */
import { MesarchError, type ErrorDetail } from "../base/errors.ts";

export class UsageError extends MesarchError {
  constructor(message: string, detail: ErrorDetail = {}) {
    super("invalid", message, { remedy: "Options, units and defaults: add --help.", ...detail });
    this.name = "UsageError";
  }
}
