// Compiles Morpho Blue as it was deployed (solc 0.8.19, via IR, 999,999 runs), with its mocks:
//   node compile_morpho.js OUT.json
// The package ships sources only. OUT holds abi and bytecode of each contract, by its name;
// Morpho's abi has its events too, which its sources keep in a library.
const fs = require("fs");
const path = require("path");
const solc = require("solc-0.8.19");

const folder = path.join(__dirname, "node_modules/@morpho-org/morpho-blue/");
const wanted = ["src/Morpho.sol", "src/mocks/OracleMock.sol", "src/mocks/IrmMock.sol"];
const source = (name) => fs.readFileSync(path.join(folder, name), "utf8");

const input = {
  language: "Solidity",
  sources: Object.fromEntries(wanted.map((name) => [name, { content: source(name) }])),
  settings: {
    viaIR: true,
    optimizer: { enabled: true, runs: 999999 },
    evmVersion: "paris",
    metadata: { bytecodeHash: "none" },
    outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
  },
};
const output = JSON.parse(
  solc.compile(JSON.stringify(input), { import: (name) => ({ contents: source(name) }) }),
);
const errors = (output.errors || []).filter((error) => error.severity === "error");
if (errors.length > 0) {
  for (const error of errors) console.error(error.formattedMessage);
  process.exit(1);
}
const contracts = {};
for (const file of Object.values(output.contracts)) {
  for (const [name, { abi, evm }] of Object.entries(file)) {
    if (evm.bytecode.object) contracts[name] = { abi, bytecode: "0x" + evm.bytecode.object };
  }
}
const events = contracts.EventsLib.abi.filter((entry) => entry.type === "event");
contracts.Morpho.abi.push(...events);
fs.writeFileSync(process.argv[2], JSON.stringify(contracts));
