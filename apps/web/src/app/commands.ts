import type { GatewayStatus } from '@hotpath/client/browser'
import { type BrowserClient, type MarkedHit, RequestError } from '@hotpath/client/browser'
import type { Messages } from '../ui/messages.js'

type Client = Pick<BrowserClient, 'launch' | 'recordOpen' | 'forget' | 'fileUrl'>

/** What can be done with a hit. Whatever uses it counts as an open, so that it is found sooner the next time: the gateway counts what goes through it. */
export class HitCommands {
  constructor(
    private readonly client: Client,
    private readonly messages: Messages,
    private readonly features: () => GatewayStatus['features'],
    /** Heat has changed. */
    readonly onUsed: () => void,
  ) {}

  get canLaunch(): boolean {
    return this.features()?.launch === true
  }

  canDownload(hit: MarkedHit): boolean {
    return this.features()?.download === true && hit.kind === 'file'
  }

  /** Opens it where that is allowed, else copies its path. */
  async open(hit: MarkedHit): Promise<void> {
    if (this.canLaunch) await this.launch(hit, 'open')
    else await this.copyPath(hit)
  }

  async launch(hit: MarkedHit, action: 'open' | 'reveal'): Promise<void> {
    try {
      await this.client.launch(hit.pathBytes, action)
      this.messages.show(action === 'open' ? 'Opened' : 'Shown in its folder')
      this.onUsed()
    } catch (error) {
      const isOff = error instanceof RequestError && error.reason === 'DISABLED'
      this.messages.show(isOff ? 'hotpath was started without opening files' : said(error))
    }
  }

  /** The path as it is, with every character of it. */
  async copyPath(hit: MarkedHit): Promise<void> {
    try {
      await navigator.clipboard.writeText(hit.path)
      this.messages.show('Path copied')
    } catch {
      this.messages.show('The browser does not allow copying')
      return
    }
    await this.record(hit)
  }

  async copyText(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      this.messages.show('Text copied')
    } catch {
      this.messages.show('The browser does not allow copying')
    }
  }

  fileUrl(hit: MarkedHit): string {
    return this.client.fileUrl(hit.pathBytes)
  }

  /** Counts an open. That it was not counted is nothing to be told. */
  async record(hit: MarkedHit): Promise<void> {
    await this.client.recordOpen({ id: hit.id }).catch(() => false)
    this.onUsed()
  }

  async forget(hit: MarkedHit): Promise<void> {
    try {
      const count = await this.client.forget({ id: hit.id })
      this.messages.show(count === 0 ? 'There was nothing to forget' : 'Forgotten that this was opened')
      this.onUsed()
    } catch (error) {
      this.messages.show(said(error))
    }
  }

  async forgetAll(): Promise<void> {
    try {
      const count = await this.client.forget({ all: true })
      this.messages.show(`Forgotten: ${count} opened ${count === 1 ? 'entry' : 'entries'}`)
      this.onUsed()
    } catch (error) {
      this.messages.show(said(error))
    }
  }
}

function said(error: unknown): string {
  if (error instanceof RequestError && error.status === 404) return 'This gateway cannot do that'
  return error instanceof Error ? error.message : String(error)
}
