/**
 * Placement constraints, `field:OPERATOR:value`, in the manner of Marathon. The field is an attribute's name or
 * `hostname`. Operators that need to know other tasks (UNIQUE, GROUP_BY) are a scheduler's matter.
 */
import { type Attribute, type AttributeValue, attributeValueText, parseAttributeValue } from "./attributes.ts";
import { type Checked, accept, refuse } from "./checked.ts";

/**
 * EQUALS (CLUSTER in Marathon): the text of the value is the same. LIKE, UNLIKE: a regular expression matches, or does
 * not match, the whole text. IS: same type and same value, so that `cores:IS:16` holds for 16.0.
 */
export type ConstraintOperator = "EQUALS" | "LIKE" | "UNLIKE" | "IS";

export interface Constraint {
  readonly field: string;
  readonly operator: ConstraintOperator;
  readonly value: string;
  /** Whether an attribute satisfies it; undefined: the agent has no such attribute. */
  readonly holds: (attribute: AttributeValue | undefined) => boolean;
}

/** Longest regular expression accepted, in characters. */
const MAX_PATTERN = 256;

/** Reads a constraint. The value may contain colons. Operators are read in any case. */
export function parseConstraint(text: string): Checked<Constraint> {
  const [field = "", name = "", ...rest] = text.split(":");
  if (field.trim() === "" || rest.length === 0) {
    return refuse(`constraint '${text}' is not of the form field:OPERATOR:value`);
  }
  const value = rest.join(":").trim();
  const made = operation(name.trim().toUpperCase(), value);
  if (!made.ok) return refuse(`constraint '${text}': ${made.error}`);
  return accept({ field: field.trim(), value, ...made.value });
}

/** Whether an agent satisfies all of them. An attribute it lacks fails all operators but UNLIKE. */
export function satisfies(
  agent: { readonly hostname: string; readonly attributes: readonly Attribute[] },
  constraints: readonly Constraint[],
): boolean {
  return constraints.every(({ field, holds }) =>
    holds(
      field === "hostname"
        ? { kind: "text", value: agent.hostname }
        : agent.attributes.find(({ name }) => name === field),
    ),
  );
}

function operation(name: string, value: string): Checked<Pick<Constraint, "operator" | "holds">> {
  switch (name) {
    case "EQUALS":
    case "CLUSTER":
      return accept({ operator: "EQUALS", holds: (has) => has !== undefined && attributeValueText(has) === value });
    case "IS": {
      const wanted = parseAttributeValue(value);
      if (!wanted.ok) return wanted;
      const { kind } = wanted.value;
      const canonical = attributeValueText(wanted.value);
      return accept({ operator: "IS", holds: (has) => has?.kind === kind && attributeValueText(has) === canonical });
    }
    case "LIKE":
    case "UNLIKE": {
      const pattern = wholePattern(value);
      if (!pattern.ok) return pattern;
      const wanted = name === "LIKE";
      return accept({
        operator: name,
        holds: (has) => (has === undefined ? !wanted : pattern.value.test(attributeValueText(has)) === wanted),
      });
    }
    default:
      return refuse(`unknown operator '${name}'; there are EQUALS, LIKE, UNLIKE and IS`);
  }
}

function wholePattern(text: string): Checked<RegExp> {
  if (text.length > MAX_PATTERN) return refuse(`the pattern is longer than ${MAX_PATTERN} characters`);
  try {
    return accept(new RegExp(`^(?:${text})$`, "u"));
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}
