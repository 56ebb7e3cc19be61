/** A set of 32-bit ids, compressed. */
export interface RoaringBitmap32 extends Iterable<number> {
  readonly size: number
  has(id: number): boolean
  add(id: number): unknown
  /** Of [from, to). */
  addRange(from: number, to: number): unknown
  andCardinality(other: RoaringBitmap32): number
  /** 0 if it is empty. */
  maximum(): number
  clone(): RoaringBitmap32
  /** The portable format, whose bytes are the same for the same ids added in the same way. */
  serialize(format: 'portable'): Uint8Array
}

export interface BitmapClass {
  new (ids?: Iterable<number>): RoaringBitmap32
  andNot(a: RoaringBitmap32, b: RoaringBitmap32): RoaringBitmap32
  /** The bytes must have been checked: what is not such a set does harm. */
  deserialize(bytes: Uint8Array, format: 'portable'): RoaringBitmap32
}

/**
 * The native library where there is one for this system, else the same in WebAssembly (on Windows: the native one is compiled when it
 * is installed). This module must be loaded on the main thread before any worker starts, or Node can crash when a worker ends.
 */
async function load(): Promise<BitmapClass> {
  try {
    return await nativeBitmaps()
  } catch (error) {
    if (!isMissing(error)) throw error
    return wasmBitmaps()
  }
}

/** Throws an error with the code MODULE_NOT_FOUND or ERR_DLOPEN_FAILED where there is none. */
export async function nativeBitmaps(): Promise<BitmapClass> {
  // The package is CommonJS: node finds no named exports in it.
  const { default: roaring } = await import('roaring')
  return roaring.RoaringBitmap32 as unknown as BitmapClass
}

export async function wasmBitmaps(): Promise<BitmapClass> {
  const { default: roaring } = await import('roaring-wasm')
  await roaring.roaringLibraryInitialize()
  return roaring.RoaringBitmap32 as unknown as BitmapClass
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_DLOPEN_FAILED'
}

export const RoaringBitmap32: BitmapClass = await load()
