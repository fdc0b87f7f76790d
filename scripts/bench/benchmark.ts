/** What a benchmark is given and gives back. */

export interface BenchmarkContext {
  /** The compiled tree its processes run from. */
  readonly build: string;
  /** Options for Node of the master processes, such as `--cpu-prof`. */
  readonly masterArgs: readonly string[];
  /** Repetitions of what is done in rounds; undefined: the benchmark's own number. */
  readonly rounds: number | undefined;
  /** Shows people how far it is, on standard error. */
  readonly progress: (text: string) => void;
}

/** One line of the table. */
export interface Line {
  readonly name: string;
  readonly value: string;
  /** Absent for lines that only explain another. */
  readonly goal?: string;
  readonly met?: boolean;
}

export interface Findings {
  /** Keys of the JSON report. */
  readonly report: Readonly<Record<string, unknown>>;
  readonly lines: readonly Line[];
  /** What a reader has to know about how it was measured. */
  readonly conditions: readonly string[];
}

export type Benchmark = (context: BenchmarkContext) => Promise<Findings>;
