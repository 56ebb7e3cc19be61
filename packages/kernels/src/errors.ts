import { HotpathError } from '@hotpath/model'

/** A query needs more scratch space than its kernels have. */
export class ScratchFullError extends HotpathError {
  readonly code = 'SCRATCH_FULL'
  constructor(
    readonly neededBytes: number,
    readonly freeBytes: number,
  ) {
    super(`${neededBytes} bytes of scratch space needed, ${freeBytes} free`)
  }
}
