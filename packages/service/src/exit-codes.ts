/**
 * Exit codes of every long-running process, from sysexits.h (which ends at 78), so that a supervisor (ours, systemd, a script) knows
 * what to do next.
 */
export const ExitCode = {
  /** Stopped as asked. */
  ok: 0,
  /** Flags, environment or configuration file are wrong: starting again would not help. */
  usage: 64,
  /** Something outside this program is missing or refused: a port in use, a directory that cannot be written. */
  unavailable: 69,
  /** A bug, or an error that nobody expected. */
  bug: 70,
  /** Another process holds the lock: retry later. */
  busy: 75,
  /** Stopped in order to be started again: what kept it from its work is gone. No failure. */
  restart: 79,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
