// `npm run test:wine`: the programs as they run on Windows, under Wine, from what is built for Linux.
//
//     npm run test:wine [-- STEP…]      steps/NAME.mjs, all in the order of their names if none is given
//
// A step is a module whose default export gets the tools (see tools.mjs) and checks. What is looked at is what programs write into files:
// a program that crashes under Wine may end with exit code 0, and pipes from Linux do not work. Nothing here measures time.
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { prepareApp } from './app.mjs'
import { missingPrograms } from './machine.mjs'
import { Checks, Wine } from './tools.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))

const missing = missingPrograms()
if (missing.length > 0) {
  process.stdout.write(
    `not run under Wine: ${missing.join(', ')} missing (Debian: apt-get install wine wine64 gcc-mingw-w64-x86-64)\n`,
  )
  process.stdout.write('0 passed, 0 failed\n')
  process.exit(0)
}

const names = readdirSync(join(here, 'steps'))
  .filter(name => name.endsWith('.mjs'))
  .map(name => name.slice(0, -'.mjs'.length))
  .sort()
const unknown = process.argv.slice(2).filter(name => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`there is no step ${unknown.join(', ')}; there are ${names.join(', ')}\n`)
  process.exit(64)
}

const checks = new Checks()
const app = await prepareApp(root)
const wine = await Wine.start(root, app)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => {
    wine.end()
    process.exit(1)
  })
try {
  for (const name of names.filter(one => process.argv.length === 2 || process.argv.includes(one))) {
    await checks.step(name, async () => (await import(`./steps/${name}.mjs`)).default(wine, checks))
  }
} finally {
  await checks.step('end', () => wine.stop(checks))
}
process.stdout.write(`\n${checks.passed} passed, ${checks.failed} failed\n`)
process.exitCode = checks.failed === 0 ? 0 : 1
