declare module "*?worker&url" {
  /** Where the built worker lies. */
  const address: string;
  export default address;
}
