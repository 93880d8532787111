/** How `lacewing config check` shows a setting. */

/** A value as a line of the file has it; null: not set. */
export type SettingValue = string | number | boolean | null | readonly string[];

/** One setting. */
export interface Setting {
  /** The option that sets it. */
  readonly option: string;
  readonly value: SettingValue;
  readonly isDefault: boolean;
  /** What that value means, where it does not say it itself; else "". */
  readonly meaning: string;
}

/** Settings under one heading. */
export interface SettingGroup {
  readonly title: string;
  readonly settings: readonly Setting[];
}

/** One setting before it is known whether it is the default. */
export type Row = readonly [option: string, value: SettingValue, byDefault: SettingValue, meaning?: string];

/** Settings under a heading. */
export function group(title: string, rows: readonly Row[]): SettingGroup {
  const settings = rows.map(([option, value, byDefault, meaning = ""]) => ({
    option,
    value,
    isDefault: JSON.stringify(value) === JSON.stringify(byDefault),
    meaning,
  }));
  return { title, settings };
}
