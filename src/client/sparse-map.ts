/** A Map that is only made when something is put into it: of many thousand clients most have nothing to put. */

/** Values by key, in the order in which they were added. */
export class SparseMap<Key, Value> {
  #map: Map<Key, Value> | null = null;

  get size(): number {
    return this.#map === null ? 0 : this.#map.size;
  }

  has(key: Key): boolean {
    return this.#map?.has(key) ?? false;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map ??= new Map();
    this.#map.set(key, value);
  }

  delete(key: Key): boolean {
    return this.#map?.delete(key) ?? false;
  }

  clear(): void {
    this.#map = null;
  }

  /** What is in it now. */
  entries(): readonly (readonly [Key, Value])[] {
    return this.#map === null ? [] : [...this.#map];
  }

  /** What is in it now. */
  values(): readonly Value[] {
    return this.#map === null ? [] : [...this.#map.values()];
  }
}
