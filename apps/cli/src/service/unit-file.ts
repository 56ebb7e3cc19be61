/** What a unit of systemd is made for. */
export interface UnitOptions {
  /** Program and arguments. */
  readonly command: readonly string[]
  /** The only places that it writes to, absolute; they must be there. */
  readonly writablePaths: readonly string[]
  /** A unit of the system, which runs as this user; undefined: one of the user's own. */
  readonly asUser?: string | undefined
}

/**
 * Missed for so long, the system is started again: longer than a stage that hangs needs to be found, ended and started by the supervisor
 * (45 s, three times).
 */
const WATCHDOG_S = 180
/** The supervisor gives its stages 12 s each to stop, in three groups. */
const STOP_S = 45
/** While ten million entries are indexed the processes hold 600 MB, and twice that is file pages that can be taken away. */
const MEMORY_MAX = '2G'
const OPEN_FILES = 65_536

/** The text of a unit file (systemd.service(5), systemd.exec(5)). */
export function unitFile({ command, writablePaths, asUser }: UnitOptions): string {
  const isSystem = asUser !== undefined
  return `[Unit]
Description=hotpath file search
Documentation=man:hotpath(1)
${isSystem ? 'After=local-fs.target\n' : ''}StartLimitIntervalSec=120
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart=${command.map(quoted).join(' ')}
WatchdogSec=${WATCHDOG_S}
Restart=on-failure
RestartSec=2
# Flags or configuration are wrong: another start would not help.
RestartPreventExitStatus=64
TimeoutStopSec=${STOP_S}
KillMode=mixed
UMask=0077
${isSystem ? userLines(asUser) : RUNTIME_LINES}
# It reads everything that is indexed and writes to its own directories alone. /tmp may be indexed.
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=${writablePaths.map(quoted).join(' ')}
PrivateTmp=no
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

# People who work come first.
Nice=5
IOSchedulingClass=best-effort
IOSchedulingPriority=6
MemoryMax=${MEMORY_MAX}
LimitNOFILE=${OPEN_FILES}

[Install]
WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}
`
}

/** Sockets of a user's own service are in the runtime directory of the user. */
const RUNTIME_LINES = `RuntimeDirectory=hotpath
RuntimeDirectoryMode=0700
RuntimeDirectoryPreserve=yes`

/** As a user, with the one privilege that lets whole file systems be followed; the supervisor keeps it to itself. */
function userLines(user: string): string {
  return `User=${user}
AmbientCapabilities=CAP_SYS_ADMIN
CapabilityBoundingSet=CAP_SYS_ADMIN`
}

/** A word as systemd reads it: in quotes, without specifiers (%), variables ($) and escapes. */
function quoted(word: string): string {
  const text = word
    .replace(/["\\]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', '$$$$')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `"${text}"`
}
