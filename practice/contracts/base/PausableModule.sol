// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Governable} from "./Governable.sol";

/// What SystemPause needs of a module: who may stop it, and the switch. Who the owner is, is left to the heirs below.
abstract contract PausableModule is Pausable {
    address public pauser;
    address public pauserManager;

    event PauserUpdated(address indexed pauser);
    event PauserManagerUpdated(address indexed pauserManager);

    error NotOwnerOrPauser(address caller);
    error NotOwnerOrPauserManager(address caller);
    error NotOwner(address caller);

    function _moduleOwner() internal view virtual returns (address);

    function pause() external {
        _checkPauser();
        _pause();
    }

    function unpause() external {
        _checkPauser();
        _unpause();
    }

    function setPauser(address newPauser) external {
        if (msg.sender != _moduleOwner() && msg.sender != pauserManager) revert NotOwnerOrPauserManager(msg.sender);
        pauser = newPauser;
        emit PauserUpdated(newPauser);
    }

    function setPauserManager(address manager) external {
        if (msg.sender != _moduleOwner()) revert NotOwner(msg.sender);
        pauserManager = manager;
        emit PauserManagerUpdated(manager);
    }

    function _checkPauser() private view {
        if (msg.sender != _moduleOwner() && msg.sender != pauser) revert NotOwnerOrPauser(msg.sender);
    }
}

/// A pausable module owned in the governable way (JobRegistry, StakeManager, DisputeModule).
abstract contract GovernedModule is Governable, PausableModule {
    constructor(address initialGovernance) Governable(initialGovernance) {}

    function _moduleOwner() internal view override returns (address) {
        return governance;
    }
}

/// A pausable module owned in the OpenZeppelin way (the other five).
abstract contract OwnedModule is Ownable, PausableModule {
    constructor(address initialOwner) Ownable(initialOwner) {}

    function _moduleOwner() internal view override returns (address) {
        return owner();
    }
}
