import { spawnSync } from 'node:child_process'

/** A user as the kernel knows one: numbers that no account needs to have. The first group is the effective one. */
export interface TestUser {
  readonly name: string
  readonly user: number
  readonly groups: readonly [number, ...number[]]
}

/** Runs a script as a user, with `input` as `input` in it, and returns what it calls `done` with. */
function runAs<Result>({ user, groups }: TestUser, script: string, input: unknown): Result {
  const become = `process.setgroups(${JSON.stringify(groups.slice(1))}); process.setgid(${groups[0]}); process.setuid(${user})`
  const program = `${become}
    const input = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
    const done = result => process.stdout.write(JSON.stringify(result))
    ${script}`
  const options = { input: JSON.stringify(input), encoding: 'utf8', cwd: '/', maxBuffer: 1 << 28 } as const
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', program], options)
  if (status !== 0) throw new Error(`user ${user}: ${stderr}`)
  return JSON.parse(stdout) as Result
}

/** What a walk found. */
export interface WalkedEntry {
  readonly path: string
  readonly kind: 'directory' | 'file'
  readonly size: number
  readonly modifiedNs: string
  readonly createdNs: string
}

/** Everything in a tree that a user can find by himself: listing and looking at each directory from `/` down. */
export function walkAs(user: TestUser, root: string): WalkedEntry[] {
  return runAs(
    user,
    `const { lstatSync, readdirSync, statSync } = require('node:fs')
     const { dirname } = require('node:path')
     const found = []
     const can = work => { try { return work() } catch (error) { if (error.code !== 'EACCES') throw error } }
     const names = path => can(() => { const list = readdirSync(path); statSync(path + '/.'); return list })
     const visit = path => {
       const stats = lstatSync(path, { bigint: true })
       const kind = stats.isDirectory() ? 'directory' : 'file'
       found.push({ path, kind, size: Number(stats.size), modifiedNs: String(stats.mtimeNs), createdNs: String(stats.birthtimeNs) })
       if (kind === 'directory') for (const name of names(path) ?? []) visit(path + '/' + name)
     }
     let open = true
     for (let above = dirname(input); open; above = dirname(above)) {
       open = names(above) !== undefined
       if (above === '/') break
     }
     if (open) visit(input)
     done(found)`,
    root,
  )
}

export interface SocketAnswer {
  readonly status: number
  readonly text: string
}

/** Asks over a Unix socket as a user, one request after the other; waits where it is told that it asks too often. */
export function askAs(
  user: TestUser,
  socketPath: string,
  targets: readonly (string | SocketRequest)[],
): SocketAnswer[] {
  return runAs(
    user,
    `const { request, Agent } = require('node:http')
     const agent = new Agent({ keepAlive: true, maxSockets: 1 })
     const ask = target => new Promise((resolve, reject) => {
       const { path, method = 'GET', headers = {}, body } = typeof target === 'string' ? { path: target } : target
       const sent = request({ socketPath: input.socketPath, agent, path, method, headers }, response => {
         let text = ''
         response.setEncoding('utf8').on('data', more => { text += more }).on('end', () => resolve({ status: response.statusCode, text }))
       })
       sent.once('error', error => error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve({ status: 0, text: '' }) : reject(error))
       sent.end(body)
     })
     const run = async () => {
       const answers = []
       for (const target of input.targets) {
         let answer = await ask(target)
         for (; answer.status === 429; answer = await ask(target)) await new Promise(resolve => setTimeout(resolve, 100))
         answers.push(answer)
       }
       agent.destroy()
       done(answers)
     }
     void run()`,
    { socketPath, targets },
  )
}

/** A request that is not just a GET. */
export interface SocketRequest {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}
