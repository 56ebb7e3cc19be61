/** Flags of `hotpath service install` beside those of `hotpath start`. */
export const INSTALL_FLAGS = {
  system: { type: 'boolean', help: 'a service of the system, for --user; needs root' },
  user: { type: 'string', valueName: 'NAME', help: 'with --system: run as this user (default: who called sudo)' },
  print: { type: 'boolean', help: 'print the unit file and do nothing' },
} as const
