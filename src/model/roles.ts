/** Role names and their hierarchy: `eng/web` lies within `eng`. `*` is the default role, and means "unreserved". */
import { MAX_ID_BYTES, utf8Length } from "./ids.ts";

/** Parts of a role: the allocator's tree is as deep. Mesos names no limit (Mesos 7.3). */
export const MAX_ROLE_PARTS = 32;

/** Why a role name is not acceptable, if so (mesos: role validation of FrameworkInfo and Resource). */
export function roleError(role: string): string | undefined {
  if (role === "*") return undefined;
  // A role is part of a key and of every task's row. What is far too long is not even repeated.
  if (role.length > MAX_ID_BYTES || utf8Length(role) > MAX_ID_BYTES) return `a role is longer than ${MAX_ID_BYTES} bytes`;
  if (role === "") return "a role must not be empty";
  if (role.startsWith("/") || role.endsWith("/")) return `role '${role}' begins or ends with '/'`;
  if (/[\s\x08]/.test(role)) return `role '${role}' contains white space or a backspace`;
  const parts = role.split("/");
  if (parts.length > MAX_ROLE_PARTS) return `role '${role}' has more than ${MAX_ROLE_PARTS} parts`;
  for (const part of parts) {
    if (part === "") return `role '${role}' contains '//'`;
    if (part === "." || part === ".." || part === "*") return `role '${role}' has the component '${part}'`;
    if (part.startsWith("-")) return `role '${role}' has a component that begins with '-'`;
  }
  return undefined;
}

/** Strict ancestors, nearest last: `a/b/c` has `a` and `a/b`. */
export function ancestorsOf(role: string): string[] {
  const ancestors: string[] = [];
  for (let slash = role.indexOf("/"); slash !== -1; slash = role.indexOf("/", slash + 1)) {
    ancestors.push(role.slice(0, slash));
  }
  return ancestors;
}

/** Whether `role` lies strictly below `ancestor`. */
export function isWithin(role: string, ancestor: string): boolean {
  return role.length > ancestor.length && role.charCodeAt(ancestor.length) === 47 && role.startsWith(ancestor);
}

/** The role that quota and weights of a whole tree hang on: `a` for `a/b/c`. */
export function topLevelOf(role: string): string {
  const slash = role.indexOf("/");
  return slash === -1 ? role : role.slice(0, slash);
}
