/** Attributes of an agent: facts that frameworks choose by, such as `rack:r1;zone:z;cores:16;ports:[1-9]`. */
import type { Attribute as MesosAttribute } from "../wire/gen/mesos/v1/mesos.ts";
import { Value_Type } from "../wire/gen/mesos/v1/mesos.ts";
import { type Checked, accept, refuse } from "./checked.ts";
import { type ItemSet, itemSetOf, itemSetText, parseItemSet } from "./item-sets.ts";
import { rangesFromMesos, rangesToMesos } from "./mesos-values.ts";
import { type Ranges, parseRanges, rangesText } from "./ranges.ts";
import { looksLikeScalar, parseScalar, scalarText, thousandthsOf, unitsOf } from "./scalars.ts";

/** Attributes of one agent. */
export const MAX_ATTRIBUTES = 256;

/** Scalars in thousandths, as in resources. */
export type AttributeValue =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "ranges"; readonly value: Ranges }
  | { readonly kind: "set"; readonly value: ItemSet };

export type Attribute = AttributeValue & { readonly name: string };

/** Reads `name:value` separated by `;`. The type follows from the value: number, `[ranges]`, `{set}`, else text. */
export function parseAttributes(text: string): Checked<Attribute[]> {
  const attributes: Attribute[] = [];
  for (const part of text.split(";").map((each) => each.trim())) {
    if (part === "") continue;
    const colon = part.indexOf(":");
    if (colon === -1) return refuse(`attribute '${part}': is not of the form name:value`);
    const name = part.slice(0, colon).trim();
    const value = parseAttributeValue(part.slice(colon + 1).trim());
    if (!value.ok) return refuse(`attribute '${part}': ${value.error}`);
    const error = nameProblem(attributes, name);
    if (error !== undefined) return refuse(`attribute '${part}': ${error}`);
    attributes.push({ name, ...value.value });
  }
  return accept(attributes);
}

/** Reads one value as `parseAttributes` does. */
export function parseAttributeValue(text: string): Checked<AttributeValue> {
  if (text === "") return refuse("the value is empty");
  if (text.startsWith("[")) return tagged("ranges", parseRanges(text));
  if (text.startsWith("{")) return tagged("set", parseItemSet(text));
  return looksLikeScalar(text) ? tagged("scalar", parseScalar(text)) : accept({ kind: "text", value: text });
}

/** The value as text, as people write it and as LIKE matches it. */
export function attributeValueText(attribute: AttributeValue): string {
  switch (attribute.kind) {
    case "text":
      return attribute.value;
    case "scalar":
      return scalarText(attribute.value);
    case "ranges":
      return rangesText(attribute.value);
    case "set":
      return itemSetText(attribute.value);
  }
}

/** The text that `parseAttributes` reads. */
export function attributesText(attributes: readonly Attribute[]): string {
  return attributes.map((attribute) => `${attribute.name}:${attributeValueText(attribute)}`).join(";");
}

/** Reads Mesos messages; a text that looks like another type stays a text. */
export function attributesFromMesos(attributes: readonly MesosAttribute[]): Checked<Attribute[]> {
  if (attributes.length > MAX_ATTRIBUTES) return refuse(`there are more than ${MAX_ATTRIBUTES} attributes`);
  const out: Attribute[] = [];
  for (const attribute of attributes) {
    const name = attribute.name ?? "";
    const value = valueFromMesos(attribute);
    if (!value.ok) return refuse(`attribute '${name}': ${value.error}`);
    const error = nameProblem(out, name);
    if (error !== undefined) return refuse(`attribute '${name}': ${error}`);
    out.push({ name, ...value.value });
  }
  return accept(out);
}

export function attributesToMesos(attributes: readonly Attribute[]): MesosAttribute[] {
  return attributes.map((attribute): MesosAttribute => {
    const { name } = attribute;
    switch (attribute.kind) {
      case "text":
        return { name, type: Value_Type.TEXT, text: { value: attribute.value } };
      case "scalar":
        return { name, type: Value_Type.SCALAR, scalar: { value: unitsOf(attribute.value) } };
      case "ranges":
        return { name, type: Value_Type.RANGES, ranges: rangesToMesos(attribute.value) };
      case "set":
        return { name, type: Value_Type.SET, set: { item: [...attribute.value] } };
    }
  });
}

function valueFromMesos({ type, text, scalar, ranges, set }: MesosAttribute): Checked<AttributeValue> {
  if (type === Value_Type.TEXT && text?.value !== undefined) return accept({ kind: "text", value: text.value });
  if (type === Value_Type.SCALAR && scalar?.value !== undefined) return tagged("scalar", thousandthsOf(scalar.value));
  if (type === Value_Type.RANGES && ranges !== undefined) return tagged("ranges", rangesFromMesos(ranges));
  if (type === Value_Type.SET && set !== undefined) return tagged("set", itemSetOf(set.item));
  return refuse("type and value do not match");
}

function nameProblem(others: readonly Attribute[], name: string): string | undefined {
  if (name === "" || /[\s:;]/.test(name)) return "the name is empty or contains white space, ':' or ';'";
  return others.some((other) => other.name === name) ? "the name is given twice" : undefined;
}

function tagged<K extends AttributeValue["kind"]>(
  kind: K,
  checked: Checked<(AttributeValue & { kind: K })["value"]>,
): Checked<AttributeValue> {
  return checked.ok ? accept({ kind, value: checked.value } as AttributeValue) : checked;
}
