package gcptest

// everyService lists the services. Where a path is two services' at Server.URL, the first
// one has it.
func everyService() []*service {
	return []*service{
		oauthService(), accountsService(), stsService(), iamCredentialsService(), metadataService(),
		storageService(), containerService(), artifactRegistryService(), resourceManagerService(),
	}
}
