import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'

const TOKEN_BYTES = 32

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
  const file = join(dataDir, 'token')
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${token}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  try {
    await rename(temporary, file)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
  return file
}
