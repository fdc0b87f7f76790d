export default { extensions: ["ts"], files: ["test/**/*.test.ts"], nodeArguments: ["--disable-warning=ExperimentalWarning"], timeout: "120s", workerThreads: false };
