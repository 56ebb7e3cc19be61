import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { SmallSystem } from '../testing/small-system.js'

const system = new SmallSystem()
const calls = join(system.home, 'calls')
const unit = join(system.home, '.config/systemd/user/hotpath.service')

afterAll(() => system.stop())
beforeEach(() => writeFileSync(calls, ''))

/** A systemctl that keeps what it is called with. */
function systemctl(script: string): void {
  writeFileSync(join(system.home, 'bin/systemctl'), `#!/bin/sh\necho "$@" >> ${calls}\n${script}\n`, { mode: 0o755 })
}

test('install writes a unit with what was named here, and has it started', async () => {
  systemctl('exit 0')
  const { code, out, err } = await system.run(['service', 'install', '--exclude', '*.tmp', '--no-watch'])
  expect({ code, out: out.toString() }).toEqual({ code: 0, out: '' })
  expect(err).toContain(`${unit} is written`)
  const text = readFileSync(unit, 'utf8')
  const { root, home, program } = system
  expect(text).toContain(
    `ExecStart=${program.join(' ')} start --root=${root} --data=${home}/data --port=0 "--exclude=*.tmp" --no-watch\n`,
  )
  expect(text).toContain(`ReadWritePaths=${home}/data\n`)
  expect(existsSync(join(home, 'data'))).toBe(true)
  expect(readFileSync(calls, 'utf8')).toBe('--user daemon-reload\n--user enable --now hotpath.service\n')
})

test('status says what systemd says', async () => {
  systemctl(
    'printf "ActiveState=active\\nSubState=running\\nUnitFileState=enabled\\nStatusText=5 entries indexed\\nMainPID=7\\n"',
  )
  const { code, out } = await system.run(['service', 'status'])
  expect(out.toString()).toBe(`active (running), enabled, process 7, 5 entries indexed\ninstalled as ${unit}\n`)
  expect(code).toBe(0)
  systemctl('echo ActiveState=failed')
  expect((await system.run(['service', 'status'])).code).toBe(1)
})

test('uninstall stops it and takes the unit away', async () => {
  systemctl('exit 0')
  expect(await system.run(['service', 'uninstall'])).toMatchObject({ code: 0 })
  expect(existsSync(unit)).toBe(false)
  expect(readFileSync(calls, 'utf8')).toBe('--user disable --now hotpath.service\n--user daemon-reload\n')
  expect(await system.run(['service', 'uninstall'])).toMatchObject({ code: 1 })
  const { code, out } = await system.run(['service', 'status'])
  expect({ code, out: out.toString() }).toEqual({ code: 1, out: 'not installed\n' })
})

test('where systemd cannot be reached, it says which two commands to run', async () => {
  systemctl('echo "Failed to connect to bus: No medium found" >&2; exit 1')
  const { code, err } = await system.run(['service', 'install'])
  expect(code).toBe(1)
  expect(existsSync(unit)).toBe(true)
  expect(err).toMatch(
    /No medium found\); run:\n {2}systemctl --user daemon-reload\n {2}systemctl --user enable --now hotpath\.service\n$/,
  )
})

test('--print and flags that are wrong change nothing', async () => {
  systemctl('exit 0')
  const printed = await system.run(['service', 'install', '--print', '--config', writeConfig()])
  expect(printed.code).toBe(0)
  expect(printed.out.toString()).toContain(`--config=${system.home}/c.toml\n`)
  for (const argv of [['--nonsense'], ['--user', 'root'], ['--system', '--user', 'no such user'], ['--port', 'x']]) {
    const { code, err } = await system.run(['service', 'install', ...argv])
    expect({ argv, code }).toEqual({ argv, code: 2 })
    expect(err).not.toBe('')
  }
  const root = await system.run([
    'service',
    'install',
    '--print',
    '--system',
    '--user',
    'root',
    '--data',
    '/srv/hotpath',
  ])
  expect(root.out.toString()).toMatch(/^User=root$/m)
  expect(readFileSync(calls, 'utf8')).toBe('')
  expect((await system.run(['service', 'install', '--help'])).out.toString()).toContain('--system')
})

function writeConfig(): string {
  const file = join(system.home, 'c.toml')
  writeFileSync(file, 'excludes = ["x"]\n')
  return file
}

/** A service manager: starts a program with a socket to tell it how it is, and prints what it hears; stops it when its input ends. */
const MANAGER = `
import os, signal, socket, subprocess, sys, threading
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
child = subprocess.Popen(sys.argv[2:], env={**os.environ, 'NOTIFY_SOCKET': sys.argv[1], 'WATCHDOG_USEC': '200000'}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
def listen():
    while True: print(s.recv(4096).decode().replace('\\n', '|'), flush=True)
threading.Thread(target=listen, daemon=True).start()
sys.stdin.read()
child.send_signal(signal.SIGTERM)
code = child.wait()
print('ended', code, flush=True)
os._exit(0)
`

test('hotpath start tells a service manager that it is ready, how it is, that it is well, and that it stops', async () => {
  mkdirSync(join(system.home, 'n'))
  const argv = ['-c', MANAGER, join(system.home, 'n/socket'), ...system.program, 'start']
  const manager = spawn('python3', argv, { env: system.environment, stdio: ['pipe', 'pipe', 'inherit'] })
  const heard: string[] = []
  createInterface({ input: manager.stdout }).on('line', line => heard.push(line))
  await expect.poll(() => heard, { timeout: 30_000 }).toContain('READY=1')
  await expect.poll(() => heard, { timeout: 30_000 }).toContain('STATUS=1 entries indexed')
  const well = () => heard.filter(text => text === 'WATCHDOG=1').length
  await expect.poll(well, { timeout: 30_000 }).toBeGreaterThan(2)
  manager.stdin.end()
  await once(manager, 'close')
  expect(heard.slice(-2)).toEqual(['STOPPING=1|STATUS=stopping', 'ended 0'])
})
