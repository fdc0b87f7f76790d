/**
 * How groups of records lie in a journal file. Each group is one frame, written at once and made durable before the
 * next is written; the rest of the file is zeros, reserved in advance so that an append needs no space and changes no
 * metadata.
 *
 *     header   "mesarch journal", version, nonce of the file, checksum
 *     frame    magic, payload length, number of the frame, checksum; payload: (length, record)*; padding
 *
 * Everything begins at a multiple of 16 bytes. Checksums start from the file's nonce, so neither an older file's blocks
 * nor a record that looks like a frame is taken for one.
 */
import { crc32 } from "node:zlib";
import { AssertionFailure } from "../base/assert.ts";
import { JournalRecord } from "../wire/gen/mesarch/v1/checkpoint.ts";
import { CheckpointDamaged } from "./errors.ts";
import type { FileWindow } from "./file-window.ts";

const ALIGN = 16;
const MAGIC = 0x4d4a4631;
const MAGIC_BYTES = Buffer.from("MJF1", "latin1");
const TITLE = "mesarch journal\n";
const VERSION = 1;
const HEADER_BYTES = 32;
const FRAME_BYTES = 16;

export function encodeHeader(nonce: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(TITLE, "latin1");
  header.writeUInt32BE(VERSION, 16);
  header.writeUInt32BE(nonce, 20);
  header.writeUInt32BE(crc32(header.subarray(0, 24)), 24);
  return header;
}

/** One group of records, as `encodeRecord` makes them. */
export function encodeFrame(nonce: number, number: number, bodies: readonly Uint8Array[]): Buffer {
  const length = bodies.reduce((sum, body) => sum + 4 + body.length, 0);
  const frame = Buffer.alloc(aligned(FRAME_BYTES + length));
  frame.writeUInt32BE(MAGIC, 0);
  frame.writeUInt32BE(length, 4);
  frame.writeUInt32BE(number, 8);
  let at = FRAME_BYTES;
  for (const body of bodies) {
    frame.writeUInt32BE(body.length, at);
    frame.set(body, at + 4);
    at += 4 + body.length;
  }
  frame.writeUInt32BE(checksum(nonce, frame, length), 12);
  return frame;
}

/** A record that cannot be written is wrong, whatever the disk does: the machine must not make such. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  try {
    return JournalRecord.encode(record).finish();
  } catch (error) {
    throw new AssertionFailure(`a record of kind ${record.record?.$case} cannot be encoded: ${String(error)}`);
  }
}

/**
 * Every record of a journal file, oldest first. What is wrong at the end is the group that was being written when the
 * host failed, and was never spoken of: it is left out. A sound frame behind something wrong proves damage: rejects with
 * `CheckpointDamaged`, naming `path`.
 */
export async function readJournal(path: string, file: FileWindow): Promise<JournalRecord[]> {
  const nonce = readHeader(path, await file.read(0, HEADER_BYTES));
  const records: JournalRecord[] = [];
  let at = HEADER_BYTES;
  let number = 1;
  for (;;) {
    const frame = await readFrame(file, at, nonce);
    if (frame?.number !== number) break;
    readRecords(path, frame.payload, records);
    at += aligned(FRAME_BYTES + frame.payload.length);
    number += 1;
  }
  const later = await findFrame(file, at, nonce);
  if (later === undefined) return records;
  throw new CheckpointDamaged(path, `what lies between byte ${at} and the sound group at byte ${later} is unreadable`);
}

/** Where the first sound frame at or behind byte `start` begins. */
async function findFrame(file: FileWindow, start: number, nonce: number): Promise<number | undefined> {
  for (let at = await file.find(MAGIC_BYTES, start); at !== undefined; at = await file.find(MAGIC_BYTES, at + 1)) {
    if (at % ALIGN === 0 && (await readFrame(file, at, nonce)) !== undefined) return at;
  }
  return undefined;
}

function readHeader(path: string, file: Buffer): number {
  if (file.length < HEADER_BYTES || file.toString("latin1", 0, 16) !== TITLE) {
    throw new CheckpointDamaged(path, "it does not begin like a journal");
  }
  if (file.readUInt32BE(24) !== crc32(file.subarray(0, 24))) throw new CheckpointDamaged(path, "its header is unreadable");
  const version = file.readUInt32BE(16);
  if (version !== VERSION) throw new CheckpointDamaged(path, `its format is ${version}, this version knows ${VERSION}`);
  return file.readUInt32BE(20);
}

async function readFrame(file: FileWindow, at: number, nonce: number): Promise<{ number: number; payload: Buffer } | undefined> {
  const head = await file.read(at, FRAME_BYTES);
  if (head.length < FRAME_BYTES || head.readUInt32BE(0) !== MAGIC) return undefined;
  const length = head.readUInt32BE(4);
  if (at + FRAME_BYTES + length > file.size) return undefined;
  const frame = await file.read(at, FRAME_BYTES + length);
  if (frame.readUInt32BE(12) !== checksum(nonce, frame, length)) return undefined;
  return { number: frame.readUInt32BE(8), payload: frame.subarray(FRAME_BYTES) };
}

function readRecords(path: string, payload: Buffer, into: JournalRecord[]): void {
  try {
    for (let at = 0; at < payload.length; ) {
      const length = payload.readUInt32BE(at);
      into.push(JournalRecord.decode(payload.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
  } catch (error) {
    throw new CheckpointDamaged(path, "a group is sound but holds no records", { cause: error });
  }
}

/** Over the frame but for the checksum itself. */
function checksum(nonce: number, frame: Buffer, length: number): number {
  const head = crc32(frame.subarray(0, 12), nonce);
  return crc32(frame.subarray(FRAME_BYTES, FRAME_BYTES + length), head);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGN) * ALIGN;
}
