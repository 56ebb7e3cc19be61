import { execFile, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { commandTests } from '../testing/commands.js'
import { FakeIndex } from '../testing/fake-index.js'

const run = promisify(execFile)
const cli = commandTests()

async function scriptOf(shell: string): Promise<string> {
  const { code, out, err } = await cli.hotpath(['completion', shell], new FakeIndex([]))
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return Buffer.from(out, 'latin1').toString()
}

const isInstalled = (shell: string) => spawnSync(shell, ['-c', ':']).status === 0

/** What bash offers for the last of these words, which begin at `hotpath`, in the directory of the test. */
async function offers(words: readonly string[]): Promise<string[]> {
  const file = join(cli.directory, 'completion.bash')
  writeFileSync(file, await scriptOf('bash'))
  const script = `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _hotpath; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await run('bash', ['--norc', '-c', script, 'bash', ...words], { cwd: cli.directory })
  expect(stderr).toBe('')
  return stdout.split('\n').filter(line => line !== '')
}

describe('in bash', () => {
  test('commands', async () => {
    expect(await offers(['hotpath', 'se'])).toEqual(expect.arrayContaining(['search']))
    const all = await offers(['hotpath', ''])
    for (const name of ['find', 'search', 'watch', 'status', 'start', 'config', 'index-store', 'completion', 'man'])
      expect(all).toContain(name)
  })

  test('flags, of the command that is there', async () => {
    expect(await offers(['hotpath', 'search', '--so'])).toEqual(['--sort'])
    expect(await offers(['hotpath', 'search', 'query', '--lim'])).toEqual(['--limit'])
    expect(await offers(['hotpath', 'start', '--hot'])).toEqual(['--hot-formula', '--hot-half-life'])
    expect(await offers(['hotpath', 'status', '--so'])).toEqual([])
    expect(await offers(['hotpath', '--he'])).toEqual(['--help'])
  })

  test('values that can be listed, however = is cut', async () => {
    const sorts = ['size', 'size-desc']
    expect(await offers(['hotpath', 'search', '--sort', 'si'])).toEqual(sorts)
    expect(await offers(['hotpath', 'search', '--sort', '=', 'si'])).toEqual(sorts)
    expect(await offers(['hotpath', 'search', '--sort', '='])).toContain('hot')
    expect(await offers(['hotpath', 'search', '--sort=si'])).toEqual(sorts.map(name => `--sort=${name}`))
    expect(await offers(['hotpath', 'search', '--color', 'a'])).toEqual(['auto', 'always'])
    expect(await offers(['hotpath', 'start', '--log-level', 'w'])).toEqual(['warn'])
    expect(await offers(['hotpath', 'completion', ''])).toEqual(['bash', 'zsh', 'fish'])
  })

  test('directories and files', async () => {
    mkdirSync(join(cli.directory, 'some dir'))
    writeFileSync(join(cli.directory, 'some file'), '')
    expect(await offers(['hotpath', 'search', '--under', 'some'])).toEqual(['some dir'])
    expect(await offers(['hotpath', 'start', '--root', 'some'])).toEqual(['some dir'])
    expect((await offers(['hotpath', 'open', 'some'])).sort()).toEqual(['some dir', 'some file'])
    expect(await offers(['hotpath', 'search', '-n', 'some'])).toEqual([])
  })
})

test.each(['bash', 'zsh', 'fish'])('%s can read it', async shell => {
  const script = await scriptOf(shell)
  for (const word of ['search', 'index-store', 'size-desc', 'log-level']) expect(script).toContain(word)
  // Where the shell is not installed, its syntax cannot be asked.
  if (!isInstalled(shell)) return
  const file = join(cli.directory, 'script')
  writeFileSync(file, script)
  const { status, stderr } = spawnSync(shell, ['-n', file])
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: '' })
})
