import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, platform, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isLockHeld } from '@hotpath/client'
import {
  type ConfigEntry,
  ConfigError,
  describeFlags,
  flagsOf,
  makePrivateDirectory,
  parseFlags,
  type ResolvedConfig,
  resolveConfig,
} from '@hotpath/service'
import { type CommandContext, CommandError, CommandExit, note } from '../context.js'
import { INSTALL_FLAGS } from '../service/install-flags.js'
import { systemctl, systemctlCommand } from '../service/systemctl.js'
import { unitFile } from '../service/unit-file.js'

const UNIT = 'hotpath.service'
const PROGRAM = fileURLToPath(new URL('../bin/hotpath.mjs', import.meta.url))

export interface ScopeFlags {
  readonly system?: boolean
}

/** `hotpath service install [flags]`: writes a unit of systemd that starts hotpath with these flags, and starts it. */
export async function installService(argv: readonly string[], context: CommandContext): Promise<number> {
  const flags = parseFlags(argv, INSTALL_FLAGS)
  if (flags.help) {
    context.out.write(`${['hotpath service install [flags]', '', ...describeFlags(INSTALL_FLAGS)].join('\n')}\n`)
    return CommandExit.found
  }
  const { system: isSystem, user, print } = flags.extra
  const problems = [...flags.problems, ...flags.positionals.map(where => ({ where, message: 'is not a flag' }))]
  if (user !== undefined && !isSystem) problems.push({ where: '--user', message: 'only with --system' })
  if (problems.length > 0) throw new ConfigError(problems)
  const account = isSystem ? await accountOf(user ?? context.environment.SUDO_USER) : undefined
  const homeDirectory = account?.home ?? homedir()
  // Root's variables are not those of the user.
  const environment = account === undefined ? context.environment : {}
  const resolved = await resolveConfig({
    flags: flags.texts,
    configFile: flags.configFile,
    workingDirectory: context.workingDirectory,
    homeDirectory,
    environment,
  })
  const { dataDir } = resolved.config
  const text = unitFile({
    command: [
      process.execPath,
      PROGRAM,
      'start',
      ...flagsToKeep(resolved, homeDirectory),
      ...configFlag(resolved, flags.configFile),
    ],
    writablePaths: [dataDir],
    asUser: account?.name,
  })
  if (print) {
    context.out.write(text)
    return CommandExit.found
  }
  if (isLockHeld(dataDir))
    throw new CommandError(`hotpath runs already for ${JSON.stringify(dataDir)}; \`hotpath stop\` ends it`)
  // What a unit may write to must be there when it starts.
  if (account === undefined) makePrivateDirectory(dataDir)
  else if (!existsSync(dataDir))
    throw new CommandError(`${JSON.stringify(dataDir)} must be a directory of ${account.name}'s`)
  const file = unitPath(isSystem, context)
  writeUnit(file, text)
  note(context, `${file} is written`)
  return enable(isSystem, context)
}

/** `hotpath service uninstall`: stops the service and takes its unit away. The index stays. */
export async function uninstallService(
  { system: isSystem = false }: ScopeFlags,
  context: CommandContext,
): Promise<number> {
  const file = unitPath(isSystem, context)
  if (!existsSync(file)) {
    note(context, `there is no ${file}`)
    return CommandExit.nothingFound
  }
  const disabled = await systemctl(isSystem, 'disable', '--now', UNIT)
  if (disabled.exitCode !== 0) note(context, `systemd does not stop it: ${disabled.problem}`)
  rmSync(file)
  note(context, `${file} is removed`)
  const reloaded = await systemctl(isSystem, 'daemon-reload')
  if (reloaded.exitCode !== 0) note(context, `run: ${systemctlCommand(isSystem, 'daemon-reload')}`)
  return disabled.exitCode === 0 ? CommandExit.found : CommandExit.nothingFound
}

/** `hotpath service status`: whether there is a service, and whether it runs. Returns 0 if it does, 1 if it does not. */
export async function serviceStatus(
  { system: isSystem = false }: ScopeFlags,
  context: CommandContext,
): Promise<number> {
  const file = unitPath(isSystem, context)
  if (!existsSync(file)) {
    context.out.write('not installed\n')
    return CommandExit.nothingFound
  }
  const { output, problem, exitCode } = await systemctl(
    isSystem,
    'show',
    '--property=ActiveState,SubState,UnitFileState,StatusText,MainPID',
    UNIT,
  )
  if (exitCode !== 0) {
    context.out.write(`installed as ${file}; systemd does not say how it is: ${problem}\n`)
    return CommandExit.nothingFound
  }
  const values = new Map(
    output.split('\n').map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )
  const {
    ActiveState: active = '',
    SubState: sub = '',
    UnitFileState: state = '',
    StatusText: text = '',
    MainPID: pid = '0',
  } = Object.fromEntries(values)
  const parts = [
    `${active} (${sub})`,
    state,
    ...(pid === '0' ? [] : [`process ${pid}`]),
    ...(text === '' ? [] : [text]),
  ]
  context.out.write(`${parts.join(', ')}\ninstalled as ${file}\n`)
  return active === 'active' ? CommandExit.found : CommandExit.nothingFound
}

async function enable(isSystem: boolean, context: CommandContext): Promise<number> {
  const steps = [['daemon-reload'], ['enable', '--now', UNIT]] as const
  for (const step of steps) {
    const { exitCode, problem } = await systemctl(isSystem, ...step)
    if (exitCode === 0) continue
    note(context, `systemd does not take it from here (${problem}); run:`)
    for (const one of steps) context.err.write(`  ${systemctlCommand(isSystem, ...one)}\n`)
    return CommandExit.nothingFound
  }
  note(context, 'the service runs, and starts by itself from now on; `hotpath service status` says how it is')
  if (!isSystem)
    note(context, `to keep it running while you are logged out: loginctl enable-linger ${userInfo().username}`)
  return CommandExit.found
}

/** What was named here, by flags or variables: a service sees neither. The file is read by it at each start. */
function flagsToKeep({ config, entries }: ResolvedConfig, homeDirectory: string): string[] {
  const surroundings = { environment: {}, homeDirectory, platform: platform() }
  const isKept = ({ key, origin }: ConfigEntry) => key === 'dataDir' || origin === 'flag' || origin === 'environment'
  return flagsOf(
    config,
    surroundings,
    entries.filter(isKept).map(({ key }) => key),
  )
}

function configFlag({ file }: ResolvedConfig, named: string | undefined): string[] {
  return named === undefined || file === undefined ? [] : [`--config=${file}`]
}

async function accountOf(name: string | undefined) {
  if (name === undefined) throw new CommandError('--system needs --user NAME: whose files it is to index')
  const { findAccount } = await import('@hotpath/platform')
  const account = findAccount(name)
  if (account === undefined) throw new CommandError(`there is no user ${JSON.stringify(name)}`)
  return account
}

function unitPath(isSystem: boolean, { environment }: CommandContext): string {
  if (isSystem) return join('/etc/systemd/system', UNIT)
  const base = environment.XDG_CONFIG_HOME
  return join(base?.startsWith('/') ? base : join(homedir(), '.config'), 'systemd/user', UNIT)
}

/** systemd may read it at any time: it gets the old one or the new one. */
function writeUnit(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, text, { mode: 0o644 })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
