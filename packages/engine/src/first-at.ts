/** First position whose value passes a test that, once true, stays true; the length if there is none. */
export function firstAt(list: ArrayLike<number>, test: (value: number) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (test(list[middle])) high = middle
    else low = middle + 1
  }
  return low
}
