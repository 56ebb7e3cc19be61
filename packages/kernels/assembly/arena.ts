import { BAD_ARGUMENT, malformed, RESULT_MATCHES, RESULT_NEXT, RESULT_SUM } from './layout'
import { checkProgram, evaluate } from './name-program'

// Fields of the argument record (u32 each); src/kernel-functions.ts says what they mean.
const PROGRAM: usize = 0
const PROGRAM_BYTES: usize = 4
const KEYS: usize = 8
const KEY_OFFSETS: usize = 12
const KEYS_BYTES: usize = 16
const ORIGINALS: usize = 20
const ORIGINAL_OFFSETS: usize = 24
const ORIGINALS_BYTES: usize = 28
const FROM: usize = 32
const TO: usize = 36
const OUT: usize = 40
const CAPACITY: usize = 44

/** See src/kernel-functions.ts. */
export function scanArena(args: usize): i32 {
  const program = <usize>load<u32>(args, PROGRAM)
  const checked = checkProgram(program, load<u32>(args, PROGRAM_BYTES))
  if (checked < 0) return checked
  const keys = <usize>load<u32>(args, KEYS)
  const keyOffsets = <usize>load<u32>(args, KEY_OFFSETS)
  const keysBytes = load<u32>(args, KEYS_BYTES)
  const originals = <usize>load<u32>(args, ORIGINALS)
  const originalOffsets = <usize>load<u32>(args, ORIGINAL_OFFSETS)
  const originalsBytes = load<u32>(args, ORIGINALS_BYTES)
  const to = load<u32>(args, TO)
  const out = <usize>load<u32>(args, OUT)
  const capacity = load<u32>(args, CAPACITY)
  let name = load<u32>(args, FROM)
  if (name > to || (out != 0 && capacity == 0)) return BAD_ARGUMENT
  let matches: u32 = 0
  for (; name < to; name++) {
    const index = <usize>name << 2
    const key = load<u32>(keyOffsets + index)
    const keyEnd = load<u32>(keyOffsets + index, 4)
    const original = load<u32>(originalOffsets + index)
    const originalEnd = load<u32>(originalOffsets + index, 4)
    if (key > keyEnd || keyEnd > keysBytes) return malformed(keyOffsets + index)
    if (original > originalEnd || originalEnd > originalsBytes) return malformed(originalOffsets + index)
    if (evaluate(program, 0, keys + key, keyEnd - key, originals + original, originalEnd - original)) {
      if (out != 0) {
        if (matches == capacity) break
        store<u32>(out + (<usize>matches << 2), name)
      }
      matches++
    }
  }
  store<u32>(RESULT_MATCHES, matches)
  store<u32>(RESULT_NEXT, name)
  store<f64>(RESULT_SUM, 0)
  return 0
}
