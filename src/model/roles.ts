/** Role names and their hierarchy: `eng/web` lies within `eng`. `*` is the default role, and means "unreserved". */

/** Why a role name is not acceptable, if so (mesos: role validation of FrameworkInfo and Resource). */
export function roleError(role: string): string | undefined {
  if (role === "*") return undefined;
  if (role === "") return "a role must not be empty";
  if (role.startsWith("/") || role.endsWith("/")) return `role '${role}' begins or ends with '/'`;
  if (/[\s\x08]/.test(role)) return `role '${role}' contains white space or a backspace`;
  for (const part of role.split("/")) {
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
