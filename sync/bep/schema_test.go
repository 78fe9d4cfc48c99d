package bep

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

// schema gives the descriptors of testdata/bep.proto.
var schema = sync.OnceValues(func() (protoreflect.MessageDescriptors, error) {
	text, err := os.ReadFile("testdata/bep.proto")
	if err != nil {
		return nil, err
	}
	file, err := protodesc.NewFile(parseSchema(string(text)), nil)
	if err != nil {
		return nil, err
	}
	return file.Messages(), nil
})

var (
	messageLine = regexp.MustCompile(`^message (\w+) \{$`)
	fieldLine   = regexp.MustCompile(`^\s+(repeated )?(\w+) (\w+) = (\d+)( \[packed = false\])?;$`)
)

// parseSchema reads the few forms of the protobuf language that the file
// uses: messages of fields, one to a line.
func parseSchema(text string) *descriptorpb.FileDescriptorProto {
	file := &descriptorpb.FileDescriptorProto{
		Name: proto.String("bep.proto"), Package: proto.String("bep"), Syntax: proto.String("proto3"),
	}
	var message *descriptorpb.DescriptorProto
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if m := messageLine.FindStringSubmatch(line); m != nil {
			message = &descriptorpb.DescriptorProto{Name: &m[1]}
			file.MessageType = append(file.MessageType, message)
		}
		if m := fieldLine.FindStringSubmatch(line); m != nil {
			message.Field = append(message.Field, parseField(m))
		}
	}
	return file
}

func parseField(m []string) *descriptorpb.FieldDescriptorProto {
	number, _ := strconv.Atoi(m[4]) // the expression lets only digits through
	label := descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	if m[1] != "" {
		label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	}
	f := &descriptorpb.FieldDescriptorProto{
		Name: &m[3], JsonName: &m[3], Number: proto.Int32(int32(number)), Label: &label,
	}
	if m[5] != "" {
		f.Options = &descriptorpb.FieldOptions{Packed: proto.Bool(false)}
	}
	if kind, ok := descriptorpb.FieldDescriptorProto_Type_value["TYPE_"+strings.ToUpper(m[2])]; ok {
		f.Type = descriptorpb.FieldDescriptorProto_Type(kind).Enum()
	} else {
		f.Type = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE.Enum()
		f.TypeName = proto.String(".bep." + m[2])
	}
	return f
}

// fields is a message as names and values: nested messages are fields,
// repeated ones []any.
type fields map[string]any

// dynamic makes a message of the reference codec.
func dynamic(t testing.TB, name string, values fields) *dynamicpb.Message {
	t.Helper()
	messages, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	md := messages.ByName(protoreflect.Name(name))
	if md == nil {
		t.Fatalf("the schema has no message %s", name)
	}
	m := dynamicpb.NewMessage(md)
	fill(t, m, values)
	return m
}

func fill(t testing.TB, m protoreflect.Message, values fields) {
	t.Helper()
	for name, v := range values {
		fd := m.Descriptor().Fields().ByName(protoreflect.Name(name))
		if fd == nil {
			t.Fatalf("%s has no field %s", m.Descriptor().Name(), name)
		}
		switch v := v.(type) {
		case fields:
			fill(t, m.Mutable(fd).Message(), v)
		case []any:
			list := m.Mutable(fd).List()
			for _, e := range v {
				if nested, ok := e.(fields); ok {
					fill(t, list.AppendMutable().Message(), nested)
				} else {
					list.Append(protoreflect.ValueOf(e))
				}
			}
		default:
			m.Set(fd, protoreflect.ValueOf(v))
		}
	}
}
