/**
 * What this project holds its own source to, beside the layers: pure rooms stay pure, files and functions stay short,
 * nothing is left behind. Each check takes text and returns findings, so that it can be tried on bad text, too.
 */
import { join } from "node:path";
import ts from "typescript";

export const FILE_LINES_MAX = 400;
export const FUNCTION_LINES_MAX = 80;

/** Names of the surroundings: a pure module is told the time and given its randomness, and waits for nothing. */
const IMPURE_NAMES = new Set([
  ...["Promise", "Date", "performance", "Temporal", "Intl"],
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval", "queueMicrotask", "requestIdleCallback"],
  ...["process", "crypto", "Buffer", "globalThis", "global", "console", "fetch", "require", "structuredClone"],
  ...["AbortController", "AbortSignal", "EventTarget", "MessageChannel", "Worker", "WeakRef", "FinalizationRegistry"],
]);
/** Results that depend on the host's language. */
const IMPURE_MEMBERS = new Set(["Math.random", "localeCompare", "toLocaleString", "toLocaleLowerCase", "toLocaleUpperCase"]);

/** Words of rooms that nobody finds anything in. */
const VAGUE_NAME = /(^|[-.])(utils?|helpers?|common|misc)([-.]|$)/;
const REMINDER = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X".repeat(3)].join("|")})\\b`);

/** Where and what, as `line: what`. */
export type Finding = string;

/** Whatever makes a module more than a function of its inputs. */
export function impurities(file: string, text: string): Finding[] {
  const source = parse(file, text);
  const found: Finding[] = [];
  const report = (node: ts.Node, what: string): void => void found.push(`${lineOf(source, node)}: ${what}`);
  walk(source, (node) => {
    if (ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword)) report(node, "async");
    if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) report(node, "await");
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) report(node, "import()");
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) report(node, "import.meta");
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && isForeign(node.moduleSpecifier)) {
      report(node, `import of ${node.moduleSpecifier.text}`);
    }
    if (ts.isPropertyAccessExpression(node)) {
      const member = node.name.text;
      if (IMPURE_MEMBERS.has(member)) report(node, member);
      if (ts.isIdentifier(node.expression) && IMPURE_MEMBERS.has(`${node.expression.text}.${member}`)) {
        report(node, `${node.expression.text}.${member}`);
      }
    }
    if (ts.isIdentifier(node) && IMPURE_NAMES.has(node.text) && !isNameOfSomethingOwn(node)) report(node, node.text);
  });
  return found;
}

/**
 * Values a pure module takes from generated code that are no enums: its codecs and clients. Of messages it knows the
 * types; bytes are others' business.
 *
 * @param enumsOf names of the enums that a generated module exports.
 */
export function codecImports(file: string, text: string, enumsOf: (module: string) => ReadonlySet<string>): Finding[] {
  const source = parse(file, text);
  const found: Finding[] = [];
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const module = join(file, "..", statement.moduleSpecifier.text);
    const clause = statement.importClause;
    if (!module.startsWith("src/wire/gen/") || clause === undefined || clause.phaseModifier === ts.SyntaxKind.TypeKeyword) continue;
    const bindings = clause.namedBindings;
    if (bindings === undefined || !ts.isNamedImports(bindings)) {
      found.push(`${lineOf(source, statement)}: import of all of ${module}`);
      continue;
    }
    const enums = enumsOf(module);
    for (const { propertyName, name, isTypeOnly } of bindings.elements) {
      const imported = (propertyName ?? name).text;
      if (!isTypeOnly && !enums.has(imported)) found.push(`${lineOf(source, statement)}: ${imported} is no enum`);
    }
  }
  return found;
}

/** Names of the enums of a generated module: constants that are objects of numbers. */
export function enumsIn(file: string, text: string): Set<string> {
  const names = new Set<string>();
  for (const statement of parse(file, text).statements) {
    if (!ts.isVariableStatement(statement)) continue;
    for (const { name, initializer } of statement.declarationList.declarations) {
      const value = initializer !== undefined && ts.isAsExpression(initializer) ? initializer.expression : initializer;
      if (value === undefined || !ts.isObjectLiteralExpression(value) || !ts.isIdentifier(name)) continue;
      if (value.properties.length > 0 && value.properties.every((each) => ts.isPropertyAssignment(each) && isNumber(each.initializer))) {
        names.add(name.text);
      }
    }
  }
  return names;
}

export function sizes(file: string, text: string): Finding[] {
  const source = parse(file, text);
  const found: Finding[] = [];
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > FILE_LINES_MAX) found.push(`1: ${lines} lines; a file has at most ${FILE_LINES_MAX}`);
  walk(source, (node) => {
    if (!ts.isFunctionLike(node) || !("body" in node) || node.body === undefined) return;
    const length = lineOf(source, node, node.end) - lineOf(source, node) + 1;
    if (length > FUNCTION_LINES_MAX) found.push(`${lineOf(source, node)}: a function of ${length} lines; at most ${FUNCTION_LINES_MAX}`);
  });
  return found;
}

export function vagueName(file: string): boolean {
  return file.split("/").some((part) => VAGUE_NAME.test(part));
}

/** Notes to oneself. */
export function reminders(text: string): Finding[] {
  return text.split("\n").flatMap((line, i) => (REMINDER.test(line) ? [`${i + 1}: ${line.trim()}`] : []));
}

/**
 * Tests that are switched off, or that switch off all others. `runIf` may ask for something that is looked up on the
 * host, by its name (`SmallDisk.possible`): where it is not there, the test is reported as skipped.
 */
export function disabledTests(file: string, text: string): Finding[] {
  const source = parse(file, text);
  const found: Finding[] = [];
  walk(source, (node) => {
    if (!ts.isPropertyAccessExpression(node) || !/^test(\.\w+)*$/.test(node.getText(source))) return;
    const word = node.name.text;
    if (!["skip", "skipIf", "only", "failing", "todo", "runIf"].includes(word)) return;
    const condition = ts.isCallExpression(node.parent) ? node.parent.arguments[0] : undefined;
    if (word === "runIf" && condition !== undefined && /^[A-Z]\w+\.\w+$/.test(condition.getText(source))) return;
    found.push(`${lineOf(source, node)}: test.${word}`);
  });
  return found;
}

/** Titles of the tests in a file; what is filled in when they run is shown as `…`. */
export function testTitles(file: string, text: string): string[] {
  const titles: string[] = [];
  walk(parse(file, text), (node) => {
    if (!ts.isCallExpression(node) || !/^test(\.serial)?(\.runIf\([\w.]+\))?$/.test(node.expression.getText())) return;
    const [title] = node.arguments;
    if (title === undefined) return;
    if (ts.isStringLiteralLike(title)) titles.push(title.text);
    else if (ts.isTemplateExpression(title)) {
      titles.push(title.head.text + title.templateSpans.map(({ literal }) => `…${literal.text}`).join(""));
    }
  });
  return titles;
}

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function lineOf(source: ts.SourceFile, node: ts.Node, at = node.getStart(source)): number {
  return source.getLineAndCharacterOfPosition(at).line + 1;
}

function isForeign(specifier: ts.Expression | undefined): specifier is ts.StringLiteral {
  return specifier !== undefined && ts.isStringLiteral(specifier) && !specifier.text.startsWith(".");
}

function isNumber(node: ts.Expression): boolean {
  return ts.isNumericLiteral(node) || (ts.isPrefixUnaryExpression(node) && ts.isNumericLiteral(node.operand));
}

/** `clock.process`, `{ process: … }`, `interface X { process: … }`: a name of ours that only looks like a global. */
function isNameOfSomethingOwn(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  if (ts.isPropertyAssignment(parent) || ts.isPropertyDeclaration(parent) || ts.isPropertySignature(parent)) return parent.name === node;
  return ts.isMethodDeclaration(parent) || ts.isMethodSignature(parent) ? parent.name === node : false;
}
