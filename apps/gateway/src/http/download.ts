import { InvalidInputError } from '@hotpath/model'
import { parseRange, ServedFile } from '../desktop/served-file.js'
import { parseQueryString } from './query-string.js'

/** The absolute path in `path=`, bytes. Throws InvalidInputError for anything else. */
export function parseDownloadPath(queryString: string): Uint8Array {
  const parameters = parseQueryString(queryString)
  const path = parameters.get('path')
  if (parameters.size !== 1 || path === undefined) {
    throw new InvalidInputError('parameters', 'path alone', JSON.stringify([...parameters.keys()]).slice(0, 100))
  }
  if (path[0] !== 0x2f || path.includes(0)) {
    throw new InvalidInputError(
      'path',
      'an absolute path',
      JSON.stringify(Buffer.from(path).toString('utf8').slice(0, 100)),
    )
  }
  return path
}

/** The file, or a range of it, to be saved and never shown: what is in it must not become a page of ours. */
export async function downloadReply(path: Uint8Array, range: string | undefined, isHead: boolean): Promise<Response> {
  const file = await ServedFile.open(path)
  const { sizeBytes } = file
  const wanted = parseRange(range, sizeBytes)
  const headers = {
    'content-type': 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${fileName(path)}`,
    'accept-ranges': 'bytes',
    'last-modified': new Date(file.modifiedMs).toUTCString(),
  }
  if (wanted === 'unsatisfiable') {
    await file.close()
    return new Response(null, { status: 416, headers: { 'content-range': `bytes */${sizeBytes}` } })
  }
  const { start, end } = wanted ?? { start: 0, end: sizeBytes }
  const all = new Headers({ ...headers, 'content-length': String(end - start) })
  if (wanted !== undefined) all.set('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`)
  const status = wanted === undefined ? 200 : 206
  if (!isHead) return new Response(file.read({ start, end }), { status, headers: all })
  await file.close()
  return new Response(null, { status, headers: all })
}

/** RFC 8187: percent-encoded UTF-8, without the few characters that stand for something there. */
function fileName(path: Uint8Array): string {
  const name = Buffer.from(path.subarray(path.lastIndexOf(0x2f) + 1)).toString('utf8')
  return encodeURIComponent(name).replace(/['()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
