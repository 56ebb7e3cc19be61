// A whole system for tests, with stages that only say what they do.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startSystem } from '../dist/start.js'

const script = fileURLToPath(new URL('./stage.mjs', import.meta.url))

const code = await startSystem(process.argv.slice(2), undefined, config => {
  const journal = `--journal=${join(config.dataDir, 'journal')}`
  const stage = (name, ...flags) => ({ name, script, arguments: [journal, ...flags] })
  return [
    [stage('scanner')],
    [stage('gateway', `--url=http://127.0.0.1:${config.port}/?token=t`)],
    [stage('index-store')],
  ]
})
process.exit(code)
