import { readdirSync, readFileSync } from 'node:fs'
import { processMemory } from '@hotpath/platform'

/** What Linux counts processor time in; fixed for programs on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100

interface ProcessStat {
  readonly parent: number
  readonly cpuMs: number
}

/** Fields of /proc/PID/stat; undefined if the process is gone. */
function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name in parentheses may hold anything, also parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { parent: Number(fields[1]), cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND }
  } catch {
    return undefined
  }
}

/** A process and all its descendants, as far as they live. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const child = Number(name)
    if (!Number.isInteger(child)) continue
    const stat = statOf(child)
    if (stat) children.set(stat.parent, [...(children.get(stat.parent) ?? []), child])
  }
  const tree = [pid]
  for (const member of tree) tree.push(...(children.get(member) ?? []))
  return tree
}

/** Processor time that these processes have used. */
export function cpuMsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (statOf(pid)?.cpuMs ?? 0), 0)
}

export interface TreeMemory {
  readonly anonymousBytes: number
  readonly pssBytes: number
  /** Resident pages of files, counted in every process that maps them. */
  readonly fileBytes: number
}

/** Sums over these processes; those that are gone count nothing. */
export function memoryOf(pids: readonly number[]): TreeMemory {
  let anonymousBytes = 0
  let pssBytes = 0
  let fileBytes = 0
  for (const pid of pids) {
    try {
      const memory = processMemory(pid)
      anonymousBytes += memory.anonymousBytes
      pssBytes += memory.pssBytes
      fileBytes += memory.residentBytes - memory.anonymousBytes
    } catch {
      // The process has ended.
    }
  }
  return { anonymousBytes, pssBytes, fileBytes }
}

/** What a process is, from its command line: `index-store` of `node …/index-store/bundle/main.js …`. */
export function stageOf(pid: number): string {
  try {
    const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    // Behind flags of Node.js itself.
    const script = words.find(word => !word.startsWith('-')) ?? ''
    return /([^/]+)\/bundle\/main\.js$/.exec(script)?.[1] ?? (script.endsWith('hotpath.mjs') ? 'supervisor' : script)
  } catch {
    return 'ended'
  }
}
