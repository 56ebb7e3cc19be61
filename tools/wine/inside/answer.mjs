// For scripts that run under Wine: what they find goes to the file that is their first argument, whole or not at all.
import { renameSync, writeFileSync } from 'node:fs'

const [file, ...rest] = process.argv.slice(2)

export const inputs = rest

export function answer(value) {
  writeFileSync(`${file}.tmp`, JSON.stringify(value))
  renameSync(`${file}.tmp`, file)
}
