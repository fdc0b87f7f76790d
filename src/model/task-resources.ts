import type { Resource, TaskInfo } from "../wire/gen/mesos/v1/mesos.ts";
import type { Checked } from "./checked.ts";
import { Resources } from "./resources.ts";

/** Messages are values; the codec and the tables read them, and many tasks share one list. */
const known = new WeakMap<readonly Resource[], Checked<Resources>>();

/** What a task takes from its agent while it lives. */
export function taskResources({ resources: asked }: TaskInfo): Checked<Resources> {
  let resources = known.get(asked);
  if (resources === undefined) {
    resources = Resources.fromMesos(asked);
    known.set(asked, resources);
  }
  return resources;
}
