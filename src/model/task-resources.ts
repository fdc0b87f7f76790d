import type { TaskInfo } from "../wire/gen/mesos/v1/mesos.ts";
import type { Checked } from "./checked.ts";
import { Resources } from "./resources.ts";

/** Infos are values, and read by the codec and by the tables. */
const known = new WeakMap<TaskInfo, Checked<Resources>>();

/** What a task takes from its agent while it lives. */
export function taskResources(info: TaskInfo): Checked<Resources> {
  let resources = known.get(info);
  if (resources === undefined) {
    resources = Resources.fromMesos(info.resources);
    known.set(info, resources);
  }
  return resources;
}
