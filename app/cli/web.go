package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lanyard/app/config"
	"lanyard/app/service"
	"lanyard/app/web"
)

// doorFlags is what "lanyard serve" was told about browsers.
type doorFlags struct{ address, certificate, key, password string }

func (d *doorFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&d.address, "web", "", "let a browser in at ADDR:PORT, such as 127.0.0.1:8384; off by default")
	c.Flags().StringVar(&d.certificate, "web-certificate", "", "PEM file with the certificate for --web; needed beyond this computer")
	c.Flags().StringVar(&d.key, "web-key", "", "PEM file with its key")
	c.Flags().StringVar(&d.password, "web-password", "", "file with the password for --web in its first line; needed beyond this computer")
}

// check refuses flags that do not belong together.
func (d *doorFlags) check() error {
	if d.address == "" && d.certificate+d.key+d.password != "" {
		return errors.New("--web-certificate, --web-key and --web-password belong to --web")
	}
	if (d.certificate == "") != (d.key == "") {
		return errors.New("--web-certificate and --web-key go together")
	}
	return nil
}

// openDoor opens the door that was asked for, nil if none was.
func (a *app) openDoor(flags doorFlags, log *slog.Logger) (*web.Door, error) {
	if flags.address == "" {
		return nil, nil
	}
	o := web.DoorOptions{Address: flags.address, Pages: a.Pages, Log: log}
	if flags.certificate != "" {
		pair, err := tls.LoadX509KeyPair(flags.certificate, flags.key)
		if err != nil {
			return nil, fmt.Errorf("read the certificate for browsers: %w", err)
		}
		o.Certificate = &pair
	}
	if flags.password != "" {
		var err error
		if o.Password, err = firstLine(flags.password); err != nil {
			return nil, err
		}
	}
	return web.OpenDoor(o)
}

// openLater opens a door of a running engine, for browsers of this computer
// alone, and hands it to who runs it.
func (a *app) openLater(ctx context.Context, later chan<- *web.Door, log *slog.Logger) (service.Door, error) {
	door, err := a.openDoor(doorFlags{address: "127.0.0.1:0"}, log)
	if err != nil {
		return nil, err
	}
	select {
	case later <- door:
		log.Info("letting browsers in", "address", door.Address())
		return door, nil
	case <-ctx.Done():
		return nil, errors.Join(context.Cause(ctx), closeDoor(door))
	}
}

// shortestPassword is in bytes.
const shortestPassword = 10

func firstLine(file string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the password for browsers: %w", err)
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) < shortestPassword {
		return "", &config.Refusal{
			Reason: config.Invalid, Item: file,
			Text:   fmt.Sprintf("the password in %s is shorter than %d characters", file, shortestPassword),
			Remedy: "take a longer one",
		}
	}
	return string(line), nil
}

func closeDoor(d *web.Door) error {
	if d == nil {
		return nil
	}
	return d.Close()
}

func (a *app) webCommand() *cobra.Command {
	var open, asJSON bool
	c := &cobra.Command{
		Use: "web", Short: "Print a fresh address at which a browser shows this device", Args: takes(0, 0),
		Long: "Prints an address that lets one browser in, once, within five minutes.\n" +
			"Unless the engine was started with --web, it lets browsers of this computer in from then on, until it ends.\n" +
			"To reach it from another computer: ssh -L PORT:127.0.0.1:PORT, or lanyard serve --web with a certificate and a password.",
		RunE: func(c *cobra.Command, _ []string) error {
			home, err := a.home()
			if err != nil {
				return err
			}
			return withClient(c.Context(), home, func(client *web.Client) error {
				invitation, err := client.Invite(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					err = a.printJSON(invitation)
				} else {
					err = a.say("%s", invitation.Address)
				}
				if err != nil || !open {
					return err
				}
				return openInBrowser(c.Context(), home, invitation.Address)
			})
		},
	}
	c.Flags().BoolVar(&open, "open", false, "also open it in the browser")
	jsonFlag(c, &asJSON)
	return c
}

// openInBrowser opens an address by way of a file that only this user can
// read: every user of a computer can see what programs are started with, and
// could be faster.
func openInBrowser(ctx context.Context, home config.Home, address string) error {
	name := filepath.Join(home.Dir(), "open.html")
	page := `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=` +
		html.EscapeString(address) + `"><title>Lanyard</title>`
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(name, []byte(page), 0o600); err != nil {
		return err
	}
	if err := openFile(ctx, name); err != nil {
		return fmt.Errorf("open the browser: %w", err)
	}
	return nil
}
