import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, readFile, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { systemFailureOf } from '@hotpath/model'
import { isDiskRefusal } from '../disk-refusal.js'

const TOKEN_BYTES = 32
const TOKEN_FILE = 'token'

/** A secret that lives as long as the process: 256 random bits as 43 characters of base64url. */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** Says in constant time whether `presented` is the token; hashing first makes the lengths equal. */
export function tokenVerifier(token: string): (presented: string) => boolean {
  const expected = digest(token)
  return presented => timingSafeEqual(digest(presented), expected)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Writes `<dataDir>/token` (0600) so that no reader ever sees half of it or a wider mode. Returns its path. */
export async function writeTokenFile(dataDir: string, token: string): Promise<string> {
  const file = join(dataDir, TOKEN_FILE)
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    try {
      await handle.writeFile(`${token}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  return file
}

/**
 * A token that is in the file: a new one, or where the disk takes nothing (it is full, or read-only) that of the last run,
 * if the file is its owner's alone. Rejects with the error of the disk if there is none.
 */
export async function publishToken(dataDir: string): Promise<string> {
  const token = createToken()
  try {
    await writeTokenFile(dataDir, token)
    return token
  } catch (error) {
    if (!isDiskRefusal(error)) throw error
    const former = await formerToken(join(dataDir, TOKEN_FILE))
    if (former === undefined) throw error
    return former
  }
}

async function formerToken(file: string): Promise<string | undefined> {
  try {
    const { mode, uid } = await stat(file)
    if ((mode & 0o077) !== 0 || uid !== process.getuid?.()) return undefined
    const token = (await readFile(file, 'utf8')).trimEnd()
    return Buffer.from(token, 'base64url').length === TOKEN_BYTES ? token : undefined
  } catch (error) {
    if (systemFailureOf(error)?.code === 'ENOENT') return undefined
    throw error
  }
}
