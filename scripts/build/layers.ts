/**
 * Who may import whom, as data: the one source of the dependency lint (`.dependency-cruiser.mjs`, `test/tidy.test.ts`);
 * ARCHITECTURE.md says why. Rooms are listed lowest first, and each may import only rooms above it in the list, so the
 * table cannot hold a cycle.
 */

export interface Room {
  /** Folder or file below `src`, without its extension. */
  readonly path: string;
  /** Rooms it may import. */
  readonly imports: readonly string[];
  /** Rooms of which it may import types only. */
  readonly types?: readonly string[];
}

/** What an adapter may know: never a machine, never another adapter. */
const ADAPTER = ["base", "model", "async", "ports", "wire/gen", "telemetry"];
/** What the shell around a machine may know: its ports, but neither adapters nor transports. */
const SHELL = ["base", "model", "async", "ports", "wire", "wire/gen", "telemetry", "core/pipeline", "core/deadlines"];
/** Below all decisions. `wire/gen` is for types and enums; a check of its own keeps codecs out (see tidy.ts). */
const CORE = ["base", "model", "wire/gen"];

export const rooms: readonly Room[] = [
  { path: "base", imports: [] },
  // Generated: the messages are at once what is stored, what is said and what the machines decide upon.
  { path: "wire/gen", imports: [] },
  // What both ends of a wire count alike, and copy alike.
  { path: "wire/counting-reader", imports: [] },
  { path: "model", imports: ["base", "wire/gen"] },
  { path: "core/pipeline", imports: ["base"] },
  { path: "core/deadlines", imports: ["base"] },
  { path: "core/registry", imports: CORE },
  { path: "core/election", imports: ["base"] },
  { path: "core/allocator", imports: ["base", "model", "core/deadlines"] },
  // Interfaces and the values they speak of. Below the machines, which share those values (`RunState`, `Storage`).
  { path: "ports", imports: ["base", "model"], types: ["wire/gen"] },
  {
    path: "core/master",
    imports: [...CORE, "core/pipeline", "core/deadlines", "core/registry", "core/allocator"],
    types: ["ports"],
  },
  { path: "core/agent", imports: [...CORE, "core/pipeline", "core/deadlines"], types: ["ports"] },
  { path: "wire", imports: ["base", "model", "core/registry", "ports", "wire/gen", "wire/counting-reader"] },
  { path: "async", imports: ["base"] },
  { path: "telemetry", imports: ["base", "async"] },
  { path: "etcd", imports: ADAPTER },
  { path: "checkpoint", imports: ADAPTER },
  { path: "containers", imports: ADAPTER },
  // Speaks the master machine's inputs and outputs, which is why those may be named here; never its handlers' insides.
  { path: "api", imports: ["base", "model", "async", "ports", "wire", "wire/gen", "telemetry"], types: ["core/master"] },
  // Also an adapter: of the api to the network, and of the network to the ports.
  { path: "grpc", imports: [...ADAPTER, "wire/counting-reader", "api"] },
  { path: "master", imports: [...SHELL, "core/registry", "core/election", "core/master", "api"] },
  { path: "agent", imports: [...SHELL, "core/agent"] },
  { path: "sdk", imports: ["base", "model", "async", "wire/gen", "wire/counting-reader"] },
  // Compiles raw options into the types that shells and adapters declare, so it names those types.
  { path: "config", imports: ["base", "model"], types: ["etcd", "master", "agent", "telemetry"] },
  { path: "dev", imports: ["base", "async", "config", "sdk"] },
  // Composition roots: the one place where everything meets.
  {
    path: "cli",
    imports: [
      ...["base", "model", "async", "ports", "wire", "wire/gen", "telemetry", "etcd", "checkpoint", "containers", "api"],
      ...["grpc", "master", "agent", "sdk", "config", "dev", "core/master", "core/agent", "core/election"],
    ],
  },
];

export interface Fence {
  readonly name: string;
  /** Packages (with all below them) or built-in modules. */
  readonly modules: readonly string[];
  /** Rooms that may import them. */
  readonly rooms: readonly string[];
}

/** What only some rooms may know. */
export const fences: readonly Fence[] = [
  { name: "etcd-client", modules: ["etcd3", "cockatiel"], rooms: ["etcd"] },
  // etcd3's calls take grpc-js deadlines, interceptors and status codes, so its adapter cannot do without them.
  { name: "grpc", modules: ["@grpc/grpc-js"], rooms: ["grpc", "sdk", "etcd", "wire/gen"] },
  { name: "protobuf", modules: ["@bufbuild/protobuf"], rooms: ["wire", "wire/gen", "grpc", "sdk"] },
  { name: "telemetry-sdk", modules: ["@opentelemetry", "pino"], rooms: ["telemetry"] },
  { name: "option-syntax", modules: ["smol-toml", "zod"], rooms: ["config"] },
  { name: "command-line", modules: ["commander", "picocolors"], rooms: ["cli"] },
  { name: "yaml", modules: ["yaml"], rooms: ["config", "cli"] },
  // Files are the business of two adapters, of configuration, of the log's own file, and of programs that set things up.
  { name: "files", modules: ["fs"], rooms: ["checkpoint", "containers", "telemetry", "config", "dev", "cli"] },
  // Tasks (containers), etcd of a dev cluster (dev), and flock(1), since node has no file locks (checkpoint).
  { name: "processes", modules: ["child_process"], rooms: ["containers", "checkpoint", "dev"] },
  // Sockets beside gRPC: a lock (checkpoint), a probe (grpc), free ports (dev), etcd's metrics page (etcd).
  { name: "sockets", modules: ["net", "tls", "dgram", "dns"], rooms: ["grpc", "checkpoint", "dev"] },
  { name: "http", modules: ["http", "https", "http2"], rooms: ["etcd", "telemetry"] },
  // None needs a thread: a heartbeat from a worker would hide a main loop that stands still (2.9).
  { name: "threads", modules: ["worker_threads", "cluster", "vm"], rooms: [] },
];

/** Rooms that see neither npm, nor node, nor time. */
export const pureRooms: readonly string[] = rooms
  .map(({ path }) => path)
  .filter((path) => path === "base" || path === "model" || path.startsWith("core/"));

/** The room of a file below `src`; the longest match, since `wire/gen` lies in `wire`. */
export function roomOf(file: string): Room | undefined {
  const inside = rooms.filter(({ path }) => file === `src/${path}.ts` || file.startsWith(`src/${path}/`));
  return inside.toSorted((a, b) => b.path.length - a.path.length)[0];
}

interface Rule {
  readonly name: string;
  readonly comment: string;
  readonly severity: "error";
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
}

/** The rules in the form of dependency-cruiser. */
export function lintRules(): Rule[] {
  return [...rooms.flatMap(roomRules), ...fences.map(fenceRule), ...generalRules];
}

/** Everything dependency-cruiser has to be told. */
export function lintConfiguration() {
  return {
    forbidden: lintRules(),
    options: {
      // Imports of types count, though they leave no trace in what runs.
      tsPreCompilationDeps: true,
      doNotFollow: { path: ["node_modules", "^src/wire/gen/"] },
      enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["node", "import", "default", "types"] },
    },
  };
}

function roomRules({ path, imports, types = [] }: Room): Rule[] {
  const from = inRoom(path);
  const allowed = [path, ...imports, ...types];
  const rules: Rule[] = [
    {
      name: `room ${path}`,
      comment: `src/${path} may import: ${[...imports, ...types.map((room) => `${room} (types)`)].join(", ") || "nothing"}`,
      severity: "error",
      from,
      to: { path: "^src/", ...outside(allowed) },
    },
  ];
  if (types.length > 0) {
    rules.push({
      name: `room ${path}, types only`,
      comment: `src/${path} may import only types of: ${types.join(", ")}`,
      severity: "error",
      from,
      to: { ...insideAny(types), dependencyTypesNot: ["type-only"] },
    });
  }
  return rules;
}

function fenceRule({ name, modules, rooms: allowed }: Fence): Rule {
  const names = `(${modules.join("|")})(/|$)`;
  return {
    name: `only-in ${name}`,
    comment: `${modules.join(", ")}: only in ${allowed.join(", ") || "nowhere"}`,
    severity: "error",
    from: { path: "^src/", ...(allowed.length > 0 ? { pathNot: allowed.map(pattern) } : {}) },
    // A built-in is named bare, a package by where it was found or, if it was not, by its name.
    to: { path: [`^${names}`, `^node:${names}`, `node_modules/${names}`], pathNot: "^src/" },
  };
}

const generalRules: readonly Rule[] = [
  {
    name: "src-stands-alone",
    comment: "src imports nothing of test, scripts, chaos, examples or any other folder of the project",
    severity: "error",
    from: { path: "^src/" },
    to: { pathNot: ["^src/", "node_modules/"], dependencyTypes: ["local", "localmodule", "aliased"] },
  },
  {
    name: "known-rooms",
    comment: "every file of src belongs to a room of scripts/build/layers.ts",
    severity: "error",
    from: { path: "^src/", pathNot: rooms.map(({ path }) => pattern(path)) },
    to: {},
  },
  {
    name: "pure",
    comment: "base, model and core import neither npm nor node",
    severity: "error",
    from: { path: pureRooms.map(pattern) },
    to: { pathNot: "^src/" },
  },
  {
    name: "no-cycles",
    comment: "modules do not wait for each other at run time; types may refer to each other",
    severity: "error",
    from: { path: "^src/" },
    to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only", "dynamic-import"] } },
  },
  {
    name: "resolvable",
    comment: "every import leads somewhere",
    severity: "error",
    from: { path: "^src/" },
    to: { couldNotResolve: true },
  },
  {
    name: "declared-packages",
    comment: "src imports only packages that package.json lists as dependencies",
    severity: "error",
    from: { path: "^src/" },
    to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
  },
];

/** Folder or file. */
function pattern(room: string): string {
  return `^src/${room}(/|\\.ts$)`;
}

function inRoom(path: string) {
  const nested = rooms.map((room) => room.path).filter((other) => other.startsWith(`${path}/`));
  return { path: pattern(path), ...(nested.length > 0 ? { pathNot: nested.map(pattern) } : {}) };
}

/** A room's pattern covers rooms within it, so those have to be shut out by name: `wire` allowed, `wire/gen` not. */
function outside(allowed: readonly string[]) {
  const shut = rooms.map(({ path }) => path).filter((path) => !allowed.includes(path) && allowed.some((room) => path.startsWith(`${room}/`)));
  const open = allowed.map((room) => {
    const holes = shut.filter((path) => path.startsWith(`${room}/`)).map((path) => `(?!${path}/)`);
    return `^src/${holes.join("")}${room}(/|\\.ts$)`;
  });
  return { pathNot: open };
}

function insideAny(paths: readonly string[]) {
  return { path: paths.map((path) => inRoom(path).path) };
}
