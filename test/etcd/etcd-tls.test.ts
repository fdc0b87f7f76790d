import test from "ava";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { EtcdCluster } from "../../src/dev/etcd-cluster.ts";
import { connectStore } from "../../src/etcd/store.ts";
import { Master, never, rows, type StoreWorld } from "../contracts/store-world.ts";

test("etcd is reached over TLS, with a client certificate", async (t) => {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await EtcdCluster.start({ members: 1, quotaBackendBytes: 64 * 1024 * 1024 }));
  const directory = await mkdtemp(join(tmpdir(), "mesarch-tls-"));
  stack.defer(() => rm(directory, { recursive: true }));
  const [certificate, key] = await selfSigned(directory);

  // A TLS door before a plain etcd: it asks for the client's certificate as etcd would.
  const sockets = new Set<TLSSocket>();
  const options = { cert: certificate, key, ca: certificate, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["h2", "http/1.1"] };
  const door = createServer(options, (client) => {
    const target = connect(Number(new URL(cluster.endpoints[0]!).port), "127.0.0.1");
    sockets.add(client);
    client.on("error", () => {}).on("close", () => target.destroy());
    target.on("error", () => {}).on("close", () => client.destroy());
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((done) => door.listen(0, "127.0.0.1", done));
  stack.defer(async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((done) => door.close(done));
  });

  const endpoints = [`https://localhost:${(door.address() as AddressInfo).port}`];
  const tls = { ca: certificate, certificate, key };
  const world = { connect: () => stack.use(connectStore({ endpoints, tls })) };
  const master = await Master.join(world as unknown as StoreWorld, "a");
  await master.commit(...rows(2, "v"));
  const { usedBytes, quotaBytes } = await master.store.size(never());
  t.true(usedBytes > 0);
  t.is(quotaBytes, 64 * 1024 * 1024, "13.3");

  const stranger = stack.use(connectStore({ endpoints, tls: { ca: certificate }, readPatienceMs: 300 }));
  await t.throwsAsync(stranger.candidates(never()), { name: "StoreUnavailable" });
});

async function selfSigned(directory: string): Promise<[Buffer, Buffer]> {
  const [certificate, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost"];
  await promisify(execFile)("openssl", [...args, "-out", certificate, "-keyout", key]);
  return [await readFile(certificate), await readFile(key)];
}
