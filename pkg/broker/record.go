package broker

import (
	"context"

	"github.com/svcconn/svcconn/pkg/audit"
	"github.com/svcconn/svcconn/pkg/cache"
	"github.com/svcconn/svcconn/pkg/connector"
	"github.com/svcconn/svcconn/pkg/fault"
)

func (l *Located) record(outcome audit.Outcome) audit.Record {
	if l == nil {
		return audit.Record{Outcome: outcome}
	}
	return audit.Record{Outcome: outcome, Connector: l.Connector.Name, ConnectorID: l.Connector.ID,
		ResourceType: l.ResourceType, ResourceName: l.ResourceName}
}

// called adds who asked.
func (b *Broker) called(ctx context.Context, record audit.Record) audit.Record {
	record.Caller = CallerOf(ctx).Caller
	return record
}

// note writes a record whose loss must not stop what it tells of: a refusal, a
// deletion. (What is handed out is recorded first or not handed out.)
func (b *Broker) note(ctx context.Context, record audit.Record) {
	_ = b.audit.Append(b.called(ctx, record))
}

func (b *Broker) refused(ctx context.Context, located *Located, err error) {
	record := located.record(audit.Refused)
	record.Kind, record.Error = fault.KindOf(err), err.Error()
	b.note(ctx, record)
}

// refreshed is told by the cache how a refresh ahead went. A mint that succeeded
// has recorded itself.
func (b *Broker) refreshed(meta cache.Meta, _ connector.Credential, err error) {
	if err == nil {
		return
	}
	b.note(context.Background(), audit.Record{
		Outcome: audit.RefreshFailed, Caller: audit.Caller{Surface: "refresh"},
		Connector: meta.Connector, ConnectorID: meta.ConnectorID,
		ResourceType: meta.ResourceType, ResourceName: meta.ResourceName,
		Kind: fault.KindOf(err), Error: err.Error(),
	})
}

// forConnector matches the kept credentials of one connector.
func forConnector(id string) func(cache.Meta) bool {
	return func(m cache.Meta) bool { return m.ConnectorID == id }
}
