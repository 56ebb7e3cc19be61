import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type Random, randomOf } from '@hotpath/query/testing'

const WORDS = ['src', 'lib', 'main', 'readme', 'config', 'photo', 'Report', 'größe', 'data', 'test', 'index', 'naïve']
const EXTENSIONS = ['', '.txt', '.ts', '.md', '.jpg', '.tar.gz', '.JSON']

function randomName(random: Random): string {
  return `${random.pick(WORDS)}${random.chance(0.6) ? `-${random.below(400)}` : ''}${random.pick(EXTENSIONS)}`
}

/** Makes a tree of about `count` entries below `root`, which must exist. */
export function makeTree(root: string, count: number, seed: number): void {
  const random = randomOf(seed)
  const directories = [root]
  for (let i = 0; i < count; i++) {
    const parent = random.pick(directories)
    const path = join(parent, `${randomName(random)}-${i}`)
    const kind = random.below(20)
    if (kind < 4) {
      mkdirSync(path)
      directories.push(path)
    } else if (kind === 4) symlinkSync('nowhere', path)
    else writeFileSync(path, 'x'.repeat(random.below(300)))
  }
}

/** Changes a tree at random: what people and programs do to files. */
export class TreeChanger {
  private readonly random: Random
  private counter = 0

  constructor(
    private readonly root: string,
    seed: number,
  ) {
    this.random = randomOf(seed)
  }

  /** One operation; those that cannot be done (a target that exists, a move into itself) do nothing. */
  step(): void {
    const { random } = this
    const directory = this.somewhere()
    const fresh = join(directory, `${randomName(random)}-c${this.counter++}`)
    try {
      switch (random.below(9)) {
        case 0:
          mkdirSync(fresh)
          break
        case 1:
        case 2:
          writeFileSync(fresh, 'y'.repeat(random.below(500)))
          break
        case 3: {
          const file = this.child(directory)
          if (file) writeFileSync(file, 'z'.repeat(random.below(700)), { flag: 'a' })
          break
        }
        case 4:
        case 5: {
          const child = this.child(directory)
          if (child) renameSync(child, fresh)
          break
        }
        case 6: {
          const child = this.child(directory)
          if (child) renameSync(child, join(this.somewhere(), `moved-${this.counter++}`))
          break
        }
        case 7: {
          const child = this.child(directory)
          if (child) rmSync(child, { recursive: true, force: true })
          break
        }
        case 8: {
          const child = this.child(directory)
          if (child && lstatSync(child).isFile()) linkSync(child, fresh)
          break
        }
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
    }
  }

  private somewhere(): string {
    let directory = this.root
    for (let depth = this.random.below(4); depth > 0; depth--) {
      const inner = readdirSync(directory, { withFileTypes: true }).filter(entry => entry.isDirectory())
      if (inner.length === 0) break
      directory = join(directory, this.random.pick(inner).name)
    }
    return directory
  }

  private child(directory: string): string | undefined {
    const names = readdirSync(directory)
    return names.length === 0 ? undefined : join(directory, this.random.pick(names))
  }
}

/** A fresh walk: path (latin1) → kind, size, whole seconds of the modification time. */
export function walk(
  root: string,
): Map<string, { kind: string; size: number | undefined; seconds: number | undefined }> {
  const found = new Map<string, { kind: string; size: number | undefined; seconds: number | undefined }>()
  const visit = (path: Buffer): void => {
    const stats = lstatSync(path)
    const kind = stats.isDirectory()
      ? 'directory'
      : stats.isSymbolicLink()
        ? 'symlink'
        : stats.isFile()
          ? 'file'
          : 'other'
    found.set(path.toString('latin1'), {
      kind,
      size: kind === 'directory' ? undefined : stats.size,
      seconds: Math.floor(stats.mtimeMs / 1000),
    })
    if (kind !== 'directory') return
    for (const name of readdirSync(path, { encoding: 'buffer' })) visit(Buffer.concat([path, Buffer.from('/'), name]))
  }
  statSync(root)
  visit(Buffer.from(root))
  return found
}

/** The first path about which two listings differ. */
export function firstDifference(
  expected: ReturnType<typeof walk>,
  found: ReturnType<typeof walk>,
): { path: string; expected: unknown; found: unknown } | undefined {
  for (const [path, entry] of expected) {
    const other = found.get(path)
    if (JSON.stringify(entry) !== JSON.stringify(other)) return { path, expected: entry, found: other }
  }
  for (const [path, entry] of found) if (!expected.has(path)) return { path, expected: undefined, found: entry }
  return undefined
}
