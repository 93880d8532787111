/** Where lines about requests go: what they ask for, and why some are refused. Whoever has them written makes them printable. */
export type AdminLog = (type: "error" | "notice" | "information", line: string) => void;
