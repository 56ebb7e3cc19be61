import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, sep } from 'node:path'

export interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly type: string
  /** Strong validator with its quotes. */
  readonly etag: string
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.woff2': 'font/woff2',
}

/**
 * Reads the built web page once: URL path → file. Only what is in this map is ever served, so no address can name another
 * file; `index.html` is at `/`.
 */
export async function loadPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const root = join(dirname(createRequire(import.meta.url).resolve('@hotpath/web/package.json')), 'dist', 'page')
  const files = new Map<string, PageFile>()
  const names = (await readdir(root, { recursive: true })).filter(name => TYPES[extname(name)] !== undefined)
  for (const name of names) {
    const bytes = new Uint8Array(await readFile(join(root, name)))
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    files.set(`/${name.replaceAll(sep, '/')}`, { bytes, type: TYPES[extname(name)]!, etag })
  }
  const index = files.get('/index.html')
  if (index === undefined) throw new Error('the web package has no index.html')
  files.set('/', index)
  files.delete('/index.html')
  return files
}
