// Volumes of Windows and their change journal, by the code of the programs and a driver of the tests. It ends the wineserver of the prefix,
// so nothing else may run in it.
import { join } from 'node:path'

const SCRIPT_MS = 300_000

export default async function (wine, checks) {
  const script = join(wine.root, 'tools/wine/volumes/run.mjs')
  const command = [process.execPath, script, wine.prefix, wine.nodePath, join(wine.app, 'node_modules')]
  const { out, err } = await wine.run('volumes', command, { timeoutMs: SCRIPT_MS })
  const lines = out.split('\n')
  for (const line of lines.filter(line => line.startsWith('ok - '))) checks.that(line.slice('ok - '.length), true)
  const isWhole = /^[1-9]\d* passed, 0 failed$/m.test(out)
  checks.that('all checks of volumes passed', isWhole, lines.filter(line => !line.startsWith('ok')).join('\n') + err)
}
