/** An object of which some properties may be undefined, where those are left out instead. */
export type Defined<T> =
  & { [Name in keyof T as undefined extends T[Name] ? never : Name]: T[Name] }
  & { [Name in keyof T as undefined extends T[Name] ? Name : never]?: Exclude<T[Name], undefined> };

/** The properties of `values` that are not undefined: for types with optional properties, which may be missing but not undefined. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
