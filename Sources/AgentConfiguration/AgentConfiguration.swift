// # AgentConfiguration
//
// From texts to the settings of an agent:
//
//     files, directories, -hcl ──HCL──▶ tree ──SettingDecoder──▶ SettingValues ┐
//     -dev, flags ─────────────────────────────────────────────▶ SettingValues ┼ merge ─▶ RuntimeBuilder ─▶ Validation
//     SettingTable (defaults) ─────────────────────────────────▶ SettingValues ┘               │
//                                                                                   RuntimeConfiguration
//
// `SettingTable.all` is the one list of options: names, types, defaults, meaning, whether a reload changes them.
// `ConfigurationLoader` is the door for agents and `consul validate`; `ConfigurationChanges` says what a reload does.
//
// The room owns the options and their rules. It must not know how an agent uses them: no sockets, no timers,
// no logging. The host (name, interfaces, files) is asked through `HostEnvironment` only.
