/** gRPC settings of every server and client: all bounded, quick to notice a dead peer, quick to come back. */
import type { ChannelOptions } from "@grpc/grpc-js";
import { limits } from "../model/limits.ts";

export const serverOptions: ChannelOptions = Object.freeze({
  "grpc.max_receive_message_length": limits.messageBytes,
  "grpc.max_send_message_length": limits.messageBytes,
  "grpc.max_concurrent_streams": 100_000,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc-node.max_session_memory": 64,
  "grpc.so_reuseport": 0,
});

export const clientOptions: ChannelOptions = Object.freeze({
  "grpc.max_receive_message_length": limits.messageBytes,
  "grpc.max_send_message_length": limits.messageBytes,
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.keepalive_permit_without_calls": 0,
  // A master that restarts on the same port must be found within a fraction of a second.
  "grpc.initial_reconnect_backoff_ms": 50,
  "grpc.min_reconnect_backoff_ms": 50,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
});
