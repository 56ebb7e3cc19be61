import { NotifySocket } from '@hotpath/platform'
import type { Logger } from '@hotpath/service'

/** What a service manager says to a process that it starts (sd_notify(3), sd_watchdog_enabled(3)). */
export interface ServiceEnvironment {
  readonly NOTIFY_SOCKET?: string | undefined
  /** Microseconds within which it wants to hear that all is well. */
  readonly WATCHDOG_USEC?: string | undefined
  /** The process that it wants to hear it from. */
  readonly WATCHDOG_PID?: string | undefined
}

/** Tells a service manager how the system is. All of it does nothing where nobody asked. */
export class ServiceNotifier {
  private timer: NodeJS.Timeout | undefined

  private constructor(
    private readonly socket: NotifySocket | undefined,
    private readonly watchdogMs: number | undefined,
  ) {}

  /**
   * For this process: takes the variables out of `environment`, so that no stage takes them for its own. A socket that cannot be used is
   * no reason not to start.
   */
  static take(environment: NodeJS.ProcessEnv, log: Logger): ServiceNotifier {
    const { NOTIFY_SOCKET: address, WATCHDOG_USEC: everyUs, WATCHDOG_PID: pid } = environment
    for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name]
    if (address === undefined || address === '') return new ServiceNotifier(undefined, undefined)
    const isForUs = pid === undefined || Number(pid) === process.pid
    const watchdogMs = isForUs && Number(everyUs) > 0 ? Number(everyUs) / 1_000 : undefined
    try {
      return new ServiceNotifier(new NotifySocket(address), watchdogMs)
    } catch (error) {
      log.warn('service manager cannot be told', { address, error })
      return new ServiceNotifier(undefined, undefined)
    }
  }

  /** Says that the system answers, and from now on, twice in the time that it is given, that all is well while `isHealthy` says so. */
  ready(isHealthy: () => boolean): void {
    this.send('READY=1')
    if (this.watchdogMs === undefined || this.timer !== undefined) return
    const tell = () => {
      if (isHealthy()) this.send('WATCHDOG=1')
    }
    tell()
    this.timer = setInterval(tell, this.watchdogMs / 2)
  }

  /** One line for people. */
  status(text: string): void {
    this.send(`STATUS=${text.replaceAll('\n', ' ')}`)
  }

  /** Says that it stops, as the last it says. */
  stopping(): void {
    clearInterval(this.timer)
    this.send('STOPPING=1\nSTATUS=stopping')
  }

  close(): void {
    clearInterval(this.timer)
    this.socket?.close()
  }

  private send(message: string): void {
    this.socket?.send(message)
  }
}
