import { CRC_TABLES, LANE_MASKS, LOWER_CONSTANTS } from './layout'

/** Fills the tables; called once, before anything else. */
export function initialise(): void {
  memory.fill(LANE_MASKS, 0xff, 64)
  memory.fill(LANE_MASKS + 64, 0, 64)
  memory.fill(LOWER_CONSTANTS, 0x3f, 16)
  memory.fill(LOWER_CONSTANTS + 16, <u8>(-128 + 26), 16)
  memory.fill(LOWER_CONSTANTS + 32, 0x20, 16)
  for (let i: u32 = 0; i < 256; i++) {
    let crc = i
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    store<u32>(CRC_TABLES + (i << 2), crc)
  }
  for (let i: u32 = 256; i < 2048; i++) {
    const previous = load<u32>(CRC_TABLES + ((i - 256) << 2))
    store<u32>(CRC_TABLES + (i << 2), (previous >>> 8) ^ load<u32>(CRC_TABLES + ((previous & 0xff) << 2)))
  }
}
