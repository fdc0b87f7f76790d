/**
 * Highest epoch obeyed and number of starts, in two slots written in turn (8.1). Each has its own block and was written
 * when the file was made, so that writing one needs no space and cannot spoil the other.
 *
 *     slot   length, checksum, serialised EpochSlot; zeros up to 4096 bytes
 */
import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { crc32 } from "node:zlib";
import type { Epoch } from "../base/epoch.ts";
import { EpochSlot } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { CheckpointDamaged } from "./errors.ts";
import { syncDirectory } from "./journal.ts";

const SLOT_BYTES = 4096;
/** Checksums start from it, so that zeros are no slot. */
const SEED = 0x45504f43;

export class EpochSlots implements AsyncDisposable {
  readonly #file: FileHandle;
  #slot: EpochSlot;

  private constructor(file: FileHandle, slot: EpochSlot) {
    this.#file = file;
    this.#slot = slot;
  }

  /** Opens or makes the file, and counts this start. Rejects with `CheckpointDamaged` or a system error. */
  static async open(path: string): Promise<EpochSlots> {
    const { O_RDWR, O_DSYNC } = constants;
    const file = await open(path, O_RDWR | O_DSYNC).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      return undefined;
    });
    if (file === undefined) {
      await create(path);
      return EpochSlots.open(path);
    }
    try {
      const slots = new EpochSlots(file, await newest(path, file));
      await slots.#write({ starts: slots.#slot.starts + 1 });
      return slots;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get starts(): number {
    return this.#slot.starts;
  }

  get epoch(): Epoch {
    return this.#slot.epoch ?? { generation: 0, revision: 0 };
  }

  /** Durable when it resolves. */
  async store(epoch: Epoch): Promise<void> {
    await this.#write({ epoch: { generation: epoch.generation, revision: epoch.revision } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(change: Partial<EpochSlot>): Promise<void> {
    const next = { ...this.#slot, ...change, serial: this.#slot.serial + 1 };
    const bytes = encodeSlot(next);
    await this.#file.write(bytes, 0, bytes.length, (next.serial % 2) * SLOT_BYTES);
    this.#slot = next;
  }
}

async function create(path: string): Promise<void> {
  const temporary = `${path}.new`;
  {
    await using file = await open(temporary, "w", 0o600);
    await file.writeFile(Buffer.concat([encodeSlot(EpochSlot.fromPartial({})), Buffer.alloc(SLOT_BYTES)]));
    await file.sync();
  }
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function newest(path: string, file: FileHandle): Promise<EpochSlot> {
  const { buffer } = await file.read(Buffer.alloc(2 * SLOT_BYTES), 0, 2 * SLOT_BYTES, 0);
  const sound = [0, SLOT_BYTES].flatMap((at) => decodeSlot(buffer.subarray(at, at + SLOT_BYTES)) ?? []);
  const [first, second] = sound;
  if (first === undefined) throw new CheckpointDamaged(path, "neither of its slots is readable");
  return second !== undefined && second.serial > first.serial ? second : first;
}

function encodeSlot(slot: EpochSlot): Buffer {
  const body = EpochSlot.encode(slot).finish();
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeUInt32BE(body.length, 0);
  bytes.writeUInt32BE(crc32(body, SEED), 4);
  bytes.set(body, 8);
  return bytes;
}

/** Undefined for a slot that was never written, or not to its end. */
function decodeSlot(bytes: Buffer): EpochSlot | undefined {
  const length = bytes.readUInt32BE(0);
  if (length > SLOT_BYTES - 8) return undefined;
  const body = bytes.subarray(8, 8 + length);
  return bytes.readUInt32BE(4) === crc32(body, SEED) ? EpochSlot.decode(body) : undefined;
}
