package admin

// The headings of the help.
const (
	groupTypes = "Connector types"
	groupAbout = "About svcconn"
)

// tree is the table of all commands. A new command is a file beside this one and a
// line here.
func tree() *command {
	return &command{
		name:    program,
		summary: "short-lived credentials for docker, kubectl, aws and their like",
		doc:     rootDoc,
		flags:   []flag{versionFlag},
		commands: []command{
			registerCommand(),
			listCommand(),
			describeCommand(),
			updateCommand(),
			deleteCommand(),
			verifyCommand(),
			listResourcesCommand(),
			loginCommand(),
			logoutCommand(),
			credentialCommand(),
			pullSecretCommand(),
			explainCommand(),
			agentCommand(),
			listTypesCommand(),
			describeTypeCommand(),
			configCommand(),
			completionCommand(),
			manCommand(),
			versionCommand(),
			completeCommand(),
		},
	}
}

const rootDoc = `Register a cloud account, a cluster or a registry once. From then on docker, kubectl, aws, gcloud, az, Terraform and every SDK get short-lived, least-privilege credentials from it, with nothing long-lived outside the keyring of the operating system.`
