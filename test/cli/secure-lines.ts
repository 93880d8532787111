// Command lines with TLS, PSK, unix sockets, proxies and addresses to connect from. Words in braces stand for ports and files:
// {tls}, {misnamed}, {expired}, {mutual}, {old} (TLS 1.2, with client certificates) and {psk} are listeners of mosquitto.
import { type CommandLine, line } from "./command-lines.ts";

const CA = "--cafile {files}/ca.pem";
const CLIENT = "--cert {files}/client.pem --key {files}/leaf.key";
const PSK = "--psk 00112233aabb --psk-identity device";

function* certificates(): Generator<CommandLine> {
  yield line("pub", `-t a -m x -q 1 -d -p {tls} ${CA}`);
  yield line("sub", `-t a -E -d -p {tls} ${CA}`);
  yield line("rr", `-t a -e a -m x -W 5 -p {tls} ${CA}`);
  yield line("pub", "-t a -m x -p {tls} --capath {folder}/capath");
  yield line("pub", "-t a -m x -p {tls} --capath {folder}/nothing");
  yield line("pub", "-t a -m x -p {tls} --cafile {folder}/nothing");
  yield line("pub", "-t a -m x -p {tls} --cafile {files}/leaf.key");
  yield line("pub", "-t a -m x -p {tls} --cafile {files}/stranger.pem");
  yield line("sub", "-t a -p {tls} --cafile {files}/stranger.pem");
  yield line("rr", "-t a -e b -m x -p {tls} --cafile {files}/stranger.pem");
  yield line("pub", `-t a -m x -p {misnamed} ${CA}`);
  yield line("pub", `-t a -m x -p {misnamed} ${CA} --insecure -d`);
  yield line("pub", "-t a -m x -p {tls} --cafile {files}/stranger.pem --insecure", "code", "errors");
  yield line("pub", `-t a -m x -p {expired} ${CA}`);
  yield line("pub", "-t a -m x -p {tls} --tls-use-os-certs");
  yield line("pub", `-t a -m x -p {plain} ${CA}`);
  yield line("sub", `-t a -p {plain} ${CA}`);
  yield line("pub", "-t a -m x -p {tls}");
  yield line("pub", `-t a -m x -d -p {mutual} ${CA} ${CLIENT}`);
  yield line("pub", `-t a -m x -d -p {old} ${CA} ${CLIENT}`);
  yield line("pub", `-t a -m x -p {mutual} ${CLIENT}`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --cert {files}/client.pem`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --key {files}/leaf.key`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --cert {folder}/nothing --key {folder}/nothing`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --cert {files}/client.pem --key {files}/ca.pem`);
}

function* tlsWords(): Generator<CommandLine> {
  yield line("pub", `-t a -m x -p {tls} ${CA} --ciphers nonsense`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --ciphers ECDHE-ECDSA-AES256-GCM-SHA384 -d`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-version tlsv1.2 -d`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-version tlsv1.3 -d`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-version tlsv1.1`, "code", "errors");
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-version nonsense`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-alpn mqtt -d`);
  yield line("pub", `-t a -m x -p {tls} ${CA} ${CLIENT} --keyform pem -d`);
  yield line("pub", `-t a -m x -p {tls} ${CA} ${CLIENT} --keyform nonsense`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --keyform pem`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-engine nonsense`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-engine-kpass-sha1 nonsense`);
  yield line("pub", `-t a -m x -p {tls} ${CA} --tls-version nonsense --quiet`);
  for (const option of ["cafile", "capath", "cert", "key", "keyform", "ciphers", "psk", "psk-identity"])
    yield line("sub", `-t a --${option}`);
  for (const option of ["tls-alpn", "tls-engine", "tls-engine-kpass-sha1", "tls-version", "unix", "proxy"])
    yield line("sub", `-t a --${option}`);
  yield line("sub", "-t a -A");
}

function* preSharedKeys(): Generator<CommandLine> {
  yield line("pub", `-t a -m x -q 1 -d -p {psk} ${PSK}`);
  yield line("sub", `-t a -E -d -p {psk} ${PSK} --ciphers PSK-AES128-CBC-SHA`);
  yield line("pub", "-t a -m x -p {psk} --psk 00112233aabc --psk-identity device");
  yield line("pub", "-t a -m x -p {psk} --psk 00112233aabb --psk-identity nobody");
  yield line("pub", "-t a -m x -p {psk} --psk nonsense --psk-identity device");
  yield line("pub", "-t a -m x -p {psk} --psk 001 --psk-identity device", "code", "errors");
  yield line("pub", "-t a -m x -p {psk} --psk 00");
  yield line("pub", "-t a -m x -p {psk} --psk-identity device");
  yield line("pub", `-t a -m x -p {psk} ${PSK} ${CA}`);
}

function* urls(): Generator<CommandLine> {
  yield line("pub", `-m x -d -L mqtts://localhost:{tls}/from/url ${CA}`);
  yield line("pub", `-m x -d -L MQTTS://user:pass@localhost:{tls}/a ${CA}`);
  yield line("pub", "-m x -L mqtts://localhost:{tls}/a");
  yield line("sub", `-E -d -t b -L mqtts://localhost:{tls}/a ${CA}`);
  yield line("pub", `-m x -L mqtts://localhost ${CA}`);
  yield line("pub", `-m x -L mqtts://localhost:{plain}/a ${CA}`);
}

function* otherWays(): Generator<CommandLine> {
  yield line("pub", "-t a -m x -d --unix {folder}/socket");
  yield line("sub", "-t a -E -d --unix {folder}/socket");
  yield line("rr", "-t a -e a -m x -W 5 --unix {folder}/socket");
  yield line("pub", "-t a -m x --unix {folder}/nothing");
  yield line("pub", "-t a -m x -h nobody.invalid --unix {folder}/socket -d");
  yield line("pub", "-t a -m x --unix {folder}/socket -h localhost -p 1");
  yield line("pub", "-t a -m x -d -p {plain} -A 127.0.0.1");
  yield line("pub", "-t a -m x -d -p {plain} -A 127.0.0.2");
  yield line("pub", "-t a -m x -d -p {plain} -A localhost");
  yield line("pub", "-t a -m x -p {plain} -A 203.0.113.7");
  yield line("pub", "-t a -m x -p {plain} -A nobody.invalid");
  yield line("pub", "-t a -m x -p {plain} -S", "errors");
  yield line("sub", "-t a -p {websocket}");
}

/** {proxy0} to {proxy8} answer requests with that number, 0 connects; {login} wants the password "secret", {login2} to {login6} say that number to another. */
function* proxies(): Generator<CommandLine> {
  const through = (url: string) => line("pub", `-t a -m x -d -p {plain} --proxy ${url}`);
  for (const reply of [0, 1, 2, 3, 4, 5, 6, 7, 8]) yield through(`socks5h://localhost:{proxy${reply}}`);
  yield through("socks5h://me:secret@localhost:{login}");
  yield through("socks5h://me:wrong@localhost:{login}");
  for (const status of [2, 3, 4, 5, 6]) yield through(`socks5h://me:wrong@localhost:{login${status}}`);
  yield through("socks5h://localhost:1");
  yield through("socks5h://nobody.invalid:1");
  yield through("socks5h://localhost:{plain}");
  yield through("http://localhost:1");
  yield through("socks5h://");
  yield through("socks5h://localhost:70000");
  yield line("sub", "-t a -E -d -p {plain} --proxy socks5h://localhost:{proxy0}");
  yield line("sub", `-t a -E -d -p {tls} ${CA} --proxy socks5h://localhost:{proxyToTls}`);
}

/** Files of options, in {folder}: a CA, a topic that is added to, a will. */
function* optionsFiles(): Generator<CommandLine> {
  const row = (tool: "pub" | "sub" | "rr", args: string): CommandLine => ({
    ...line(tool, args),
    env: { XDG_CONFIG_HOME: "{folder}/config" },
  });
  yield row("pub", "-p {tls} -m x -d");
  yield row("pub", "-p {tls} -m x -d -t other -q 2");
  yield row("pub", "-p {tls} -m x -d -i other");
  yield row("sub", "-p {tls} -E -d");
  yield row("sub", "-p {tls} -E -d -t b");
  yield row("rr", "-p {tls} -m x -W 5 -v");
}

function* wills(): Generator<CommandLine> {
  yield line("pub", `-t a -m x -d -p {tls} ${CA} --will-topic w --will-payload gone --will-qos 1`);
  yield line("sub", "-t a -E -d --will-topic w --will-retain -p {plain}");
  yield line("sub", "-V 5 -t a -W 1 -d --will-topic w --will-payload gone -p {plain}");
  yield line("pub", "-t a -m x --will-topic w --will-qos 3");
  yield line("pub", "-t a -m x --will-qos 1 -d -p {plain}");
  yield line("pub", "-t a -m x --will-topic");
  yield line("pub", ["-t", "a", "-m", "x", "-d", "-p", "{plain}", "--will-topic", "w", "--will-payload", ""]);
  yield line("rr", "-t a -e a -m x -W 5 --will-topic a/# -p {plain}");
}

export const SECURE_LINES: readonly CommandLine[] = [
  ...certificates(),
  ...tlsWords(),
  ...preSharedKeys(),
  ...urls(),
  ...otherWays(),
  ...proxies(),
  ...optionsFiles(),
  ...wills(),
];
