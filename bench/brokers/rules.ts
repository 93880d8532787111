// A password file and an ACL file of 1,000 rules, which all brokers that have "users" read.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Who is let in, as the generator takes it. */
export const USER = "bench:secret";
const RULES = 1000;
/** Of USER, made by mosquitto_passwd. */
const PASSWORDS =
  "bench:$7$101$IyR6mC/KPv1cDUy6$Lvyw4JMxjvaDTMaaldDT4z3joTxPlyTmygt0fp3QAcNSnbJjJYcV9tngXqGKKfy5qpantJr/xo+mOS5uphjeAA==\n";

/** Writes both files to `folder` and returns the lines of mosquitto.conf that name them. The rule that grants comes last. */
export function rulesIn(folder: string): string {
  const rules = Array.from(
    { length: RULES - 1 },
    (_, n) => `topic ${n % 2 === 0 ? "read" : "readwrite"} site${n}/+/device${n}/#`,
  );
  writeFileSync(join(folder, "rules"), ["user bench", ...rules, "topic readwrite bench/load/#", ""].join("\n"));
  writeFileSync(join(folder, "users"), PASSWORDS);
  return `allow_anonymous false\npassword_file ${join(folder, "users")}\nacl_file ${join(folder, "rules")}\n`;
}
